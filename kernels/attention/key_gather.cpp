#include "kernels/attention/key_gather.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

/// Rows that one TLOAD fetches: `count` of them, `pitch` bytes apart (0 repeats one row).
class Run {
 public:
  Run(PartBuilder& part, const Tile& keys)
      : part_{part},
        keys_{keys},
        first_{part.imm(0)},
        next_{part.imm(0)},
        pitch_{part.imm(0)},
        count_{part.imm(0)},
        filled_{part.imm(0)} {}

  /// One more row: `address`; a row that starts a run says how the run would go on.
  void add(const Reg& address, const Reg& pitch) {
    part_.if_(address != next_, [&] {
      flush();
      first_.set(address);
      next_.set(address);
      pitch_.set(pitch);
    });
    next_ += pitch_;
    count_ += 1;
  }
  /// Loads what is pending.
  void flush() {
    part_.if_(count_ > 0, [&] {
      Tile rows = keys_.at(filled_).valid(count_, keys_.cols());
      part_.tload(rows,
                  {part_.copy(first_), {.dtype = keys_.dtype(), .layout = Layout::ND, .pitch_reg = pitch_.index()}});
      const Reg bytes = count_ * keys_.desc().pitch;
      filled_ += bytes;
      count_.set(0);
    });
  }

 private:
  PartBuilder& part_;
  const Tile& keys_;
  Reg first_, next_, pitch_, count_;
  Reg filled_;  ///< bytes of the tile that hold rows
};

}  // namespace

void gather_keys(PartBuilder& p, const LayerConfig& cfg, const KeySources& sources, const Reg& request, Reg& entry,
                 const Reg& end, const Tile& keys) {
  const std::uint32_t row_bytes = cfg.head_dim * size_of(DType::BF16);
  const Reg ring = [&] {
    const Reg page = p.load_gm(DType::I32, p.tensor(sources.block_table).address(request, 0));
    return p.tensor(sources.kv_cache).address(page * cfg.page, 0);
  }();
  Run run{p, keys};
  Reg address = p.imm(0), pitch = p.imm(0);
  const auto overlay = [&] { address.set(p.tensor(sources.kv).address(request * cfg.seq, 0)); };
  const auto compressed = [&](const Reg& row) {
    const Reg page = [&] {
      const Reg cell = p.tensor(sources.cmp_block_table).address(request, row / cfg.page);
      return p.load_gm(DType::I32, cell);
    }();
    const Reg pool_row = page * cfg.page + row % cfg.page;
    address.set(p.tensor(sources.cmp_kv).address(pool_row, 0));
  };
  const auto not_in_ring = [&](Reg& row) {
    row += -static_cast<std::int64_t>(cfg.window);
    p.if_else(
        row < cfg.seq,
        [&] {
          overlay();
          const Reg bytes = row * row_bytes;
          address += bytes;
        },
        [&] {
          row += -static_cast<std::int64_t>(cfg.seq);
          compressed(row);
        });
  };
  p.while_([&] { return entry < end; },
           [&] {
             Reg code = p.load_gm(DType::I32, entry);
             pitch.set(row_bytes);
             p.if_else(
                 code < 0,
                 [&] {
                   overlay();
                   pitch.set(0);
                 },
                 [&] {
                   p.if_else(
                       code < cfg.window, [&] { address.set(ring + code * row_bytes); }, [&] { not_in_ring(code); });
                 });
             run.add(address, pitch);
             entry += size_of(DType::I32);
           });
  run.flush();
}

}  // namespace npu::kernels
