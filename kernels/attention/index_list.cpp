#include "kernels/attention/index_list.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace npu::kernels {

using namespace isa;

namespace {

/// flag = (flag > 0) as 0 or 1.
void positive(PartBuilder& p, const Tile& flag) {
  p.vecs(Opcode::TMaxS, flag, flag, 0);
  p.vecs(Opcode::TMinS, flag, flag, 1);
}

/// codes = -1 where flag is 1; overwrites flag.
void blank(PartBuilder& p, const Tile& codes, const Tile& flag, const Tile& work) {
  p.vecs(Opcode::TAddS, work, codes, 1);
  p.vec(Opcode::TMul, work, work, flag);
  p.vec(Opcode::TSub, codes, codes, work);
}

/// The first W columns: ring slots in the order of their positions, the step's own tokens in place of theirs.
class WindowPart {
 public:
  WindowPart(PartBuilder& part, const LayerConfig& cfg)
      : p{part},
        window_{cfg.window},
        seq_{cfg.seq},
        column_{p.ub(DType::I32, 1, window_, "column")},
        flag_{p.ub(DType::I32, 1, window_, "flag")},
        work_{p.ub(DType::I32, 1, window_, "work")},
        list_{p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::I32, 1, window_, Layout::ND, "window"}})} {
    p.tci(column_, 0);
  }

  void emit(const GmTensor& positions, const Reg& token, const Reg& position, const Gm& out) {
    const auto width = static_cast<double>(window_);
    Reg start = p.imm(0);  // ring slot of column 0
    p.if_(position >= window_ - 1, [&] { start.set(position % window_ + 1); });
    list_.produce();
    const Tile& list = list_[0];
    p.vecs(Opcode::TAddS, list, column_, start);
    p.vecs(Opcode::TAddS, flag_, list, 1 - width);
    positive(p, flag_);  // column wraps
    p.vecs(Opcode::TMulS, flag_, flag_, -width);
    p.vec(Opcode::TAdd, list, list, flag_);
    const Reg minus_position = p.imm(0) - position;
    p.vecs(Opcode::TAddS, flag_, column_, minus_position);
    positive(p, flag_);  // column lies beyond the position
    blank(p, list, flag_, work_);
    p.sync(Pipe::V, Pipe::S);
    const Reg first = token / seq_ * seq_;  // of the request
    p.for_range(first, token + 1, 1, [&](const Reg& own) {
      const Reg slot = p.load_gm(DType::I32, positions.address(own, 0)) % window_;
      const Reg code = own - first + window_;
      p.if_(slot <= position, [&] { p.store_tile(code, list, 0, (slot - start + window_) % window_); });
    });
    p.sync(Pipe::S, Pipe::MTE3);
    list_.push();
    list_.consume();
    p.tstore(out, list);  // (1, W) i32
    list_.pop();
  }

 private:
  PartBuilder& p;
  std::uint32_t window_, seq_;
  Tile column_, flag_, work_;
  Ring& list_;
};

/// The columns behind the window: entries of the compressed cache that the token may see.
class CompressedPart {
 public:
  CompressedPart(PartBuilder& part, const LayerConfig& cfg, std::uint32_t ratio, std::uint32_t columns)
      : p{part},
        seq_{cfg.seq},
        first_code_{cfg.window + cfg.seq},
        ratio_{ratio},
        columns_{columns},
        flag_{p.ub(DType::I32, 1, columns, "late")},
        work_{p.ub(DType::I32, 1, columns, "code")},
        list_{p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::I32, 1, columns, Layout::ND, "entries"}})} {}

  /// Every entry in turn.
  void use_all() {
    all_.emplace(p.ub(DType::I32, 1, columns_, "all_entries"));
    p.tci(*all_, static_cast<std::int32_t>(first_code_));
  }
  /// The entries that the indexer chose: rows of topk, of which `chosen` columns can hold a code.
  void use_chosen(TensorArgument topk) {
    topk_ = topk;
    chosen_ = std::min(columns_, topk.cols);
    rows_ = &p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::I32, 1, chosen_, Layout::ND, "topk"}});
  }

  void emit(const GmTensor& lengths, const Reg& token, const Reg& position, const Gm& out) {
    if (rows_ != nullptr) {
      rows_->produce();
      p.tload((*rows_)[0], p.tensor(topk_).at(token, 0));  // (1, chosen) i32
      rows_->push();
    }
    const Reg beyond = [&] {  // minus the code of the last entry that the token sees
      const Reg length = p.load_gm(DType::I32, lengths.address(token / seq_, 0)) / ratio_;
      const Reg valid = min((position + 1) / ratio_, length);
      return p.imm(1 - static_cast<std::int64_t>(first_code_)) - valid;
    }();
    list_.produce();
    const Tile list = list_[0].valid(1, columns_);
    if (rows_ != nullptr) {
      if (chosen_ < columns_) p.texpands(list, -1);
      rows_->consume();
      p.vec(Opcode::TCopy, list.valid(1, chosen_), (*rows_)[0]);
      rows_->pop();
    } else {
      p.vec(Opcode::TCopy, list, *all_);
    }
    p.vecs(Opcode::TAddS, flag_, list, beyond);
    positive(p, flag_);
    blank(p, list, flag_, work_);
    list_.push();
    list_.consume();
    p.tstore(out, list);  // (1, columns) i32
    list_.pop();
  }

 private:
  PartBuilder& p;
  std::uint32_t seq_, first_code_, ratio_, columns_;
  Tile flag_, work_;
  Ring& list_;
  std::optional<Tile> all_;
  TensorArgument topk_{};
  std::uint32_t chosen_ = 0;
  Ring* rows_ = nullptr;
};

}  // namespace

//   MTE2                                                                   csa: topk row
//   V      window: start + k, wrapped at W, -1 beyond the position |                     entries, -1 for late ones
//   S                                        the step's own tokens |
//   MTE3                                                             window row                           entries row
Kernel index_list(const LayerConfig& cfg, AttentionKind kind, const ArchSpec& arch) {
  const std::uint32_t tokens = cfg.tokens(), blocks = std::min(tokens, arch.vector_cores());
  const bool compressed = kind != AttentionKind::Swa, chosen = kind == AttentionKind::Csa;
  const std::uint32_t columns = !compressed ? 0
                                : chosen    ? cfg.index_topk
                                            : std::min(cfg.max_positions / 128, cfg.index_topk);

  KernelBuilder k{"index_list_" + std::string{name_of(kind)}, arch};
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  std::optional<TensorArgument> kv_seq_lens, topk;
  if (compressed) kv_seq_lens = k.input("kv_seq_lens", DType::I32, 1);
  if (chosen) topk = k.input("topk", DType::I32, cfg.max_positions / 4);
  const auto sparse_indices = k.output("sparse_indices", DType::I32, cfg.window + columns);
  k.vector([&](PartBuilder& p) {
    const GmTensor positions = p.tensor(position_ids), lists = p.tensor(sparse_indices);
    WindowPart window{p, cfg};
    std::optional<CompressedPart> entries;
    if (columns > 0) {
      entries.emplace(p, cfg, chosen ? 4 : 128, columns);
      chosen ? entries->use_chosen(*topk) : entries->use_all();
    }
    p.for_range(p.block_index(), tokens, blocks, [&](const Reg& token) {
      const Reg position = p.load_gm(DType::I32, positions.address(token, 0));
      window.emit(positions, token, position, lists.at(token, 0));
      if (entries) entries->emit(p.tensor(*kv_seq_lens), token, position, lists.at(token, cfg.window));
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
