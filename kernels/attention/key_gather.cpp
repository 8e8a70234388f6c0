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

void gather_keys(PartBuilder& p, const LayerConfig& cfg, const KeySources& sources, const Reg& token, const Reg& col,
                 const Reg& cols, const Tile& keys) {
  const std::uint32_t row_bytes = cfg.head_dim * size_of(DType::BF16), window = cfg.window;
  const Reg request = token / cfg.seq;
  const Reg overlay = p.tensor(sources.kv).address(request * cfg.seq, 0);
  const Reg ring = [&] {
    const Reg page = p.load_gm(DType::I32, p.tensor(sources.block_table).address(request, 0));
    return p.tensor(sources.kv_cache).address(page * cfg.page, 0);
  }();
  Run run{p, keys};
  const Reg begin = p.tensor(sources.sparse_indices).address(token, col);
  const Reg end = begin + cols * size_of(DType::I32);
  Reg address = p.imm(0), pitch = p.imm(0);
  p.for_range(begin, end, size_of(DType::I32), [&](const Reg& entry) {
    const Reg code = p.load_gm(DType::I32, entry);
    pitch.set(row_bytes);
    p.if_else(
        code < 0,
        [&] {
          address.set(overlay);
          pitch.set(0);
        },
        [&] {
          p.if_else(
              code < window, [&] { address.set(ring + code * row_bytes); },
              [&] {
                const Reg row = code - window;
                p.if_else(
                    row < cfg.seq, [&] { address.set(overlay + row * row_bytes); },
                    [&] {
                      const Reg entry_row = row - cfg.seq;
                      const Reg table = p.tensor(sources.cmp_block_table).address(request, entry_row / cfg.page);
                      const Reg page = p.load_gm(DType::I32, table);
                      const Reg pool_row = page * cfg.page + entry_row % cfg.page;
                      address.set(p.tensor(sources.cmp_kv).address(pool_row, 0));
                    });
              });
        });
    run.add(address, pitch);
  });
  run.flush();
}

}  // namespace npu::kernels
