#include "kernels/moe/gate.hpp"

#include <optional>
#include <vector>

#include "isa/errors.hpp"
#include "kernels/common/pair_sort.hpp"
#include "kernels/common/row_split.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

/// Ids of the `top` best experts of every row, by score + bias.
class TopExperts {
 public:
  TopExperts(PartBuilder& part, std::uint32_t rows, std::uint32_t experts, std::uint32_t top)
      : part_{part},
        experts_{experts},
        top_{top},
        width_{PairSort::padded(experts)},
        bias_{part.ub(DType::F32, 1, experts, "bias")},
        key_{part.ub(DType::F32, rows, width_, "key")},
        id_{part.ub(DType::I32, rows, width_, "id")},
        order_{part, rows, width_} {}

  /// Bytes of UB of one row.
  [[nodiscard]] static std::uint32_t row_bytes(std::uint32_t experts) {
    const std::uint32_t width = PairSort::padded(experts);
    return 2 * 4 * width + PairSort::row_bytes(width);
  }

  void prepare(const GmTensor& bias) {
    part_.tload(bias_, bias.at(0, 0));  // (1, E) f32
    part_.sync(Pipe::MTE2, Pipe::V);
    const Tile first = id_.view(0, 0, 1, width_);
    part_.tci(first, 0);
    part_.vec(Opcode::TColExpand, id_, first);
    part_.texpands(key_, PairSort::kLast);
  }

  /// ids (n, KE) i32 from score (n, E) f32.
  void choose(const Tile& ids, const Tile& score, const Reg& n) {
    part_.vec(Opcode::TColExpandAdd, key_.valid(n, experts_), score, bias_);
    order_.sort(key_, id_, n, width_);
    order_.take_indices(ids, n, top_);
  }

 private:
  PartBuilder& part_;
  std::uint32_t experts_, top_, width_;
  Tile bias_, key_, id_;
  PairSort order_;
};

/// score = sqrt(max(z, 0) + log(exp(-|z|) + 1)), in place; `term` is scratch of the same shape.
void route_score(PartBuilder& p, const Tile& z, const Tile& term) {
  p.vec(Opcode::TAbs, term, z);
  p.vec(Opcode::TNeg, term, term);
  p.vec(Opcode::TExp, term, term);
  p.vecs(Opcode::TAddS, term, term, 1.0);
  p.vec(Opcode::TLog, term, term);
  p.vecs(Opcode::TMaxS, z, z, 0.0);
  p.vec(Opcode::TAdd, z, z, term);
  p.vec(Opcode::TSqrt, z, z);
}

//   MTE2   logits rows, hash: one table row per token
//   V      score | sort: score + bias, sort, merge, ids | gather, sum, divide, scale
//   MTE3                                                                            ids, weights
Kernel build(const LayerConfig& cfg, const ArchSpec& arch, const RowSplit& split) {
  const std::uint32_t e = cfg.experts, top = cfg.top_k;
  const bool hash = cfg.hash_routing();

  KernelBuilder k{"gate_route", arch};
  const auto logits = k.input("logits", DType::F32, e);
  const auto gate_bias = k.input("gate_bias", DType::F32, e);
  const auto tid2eid = k.input("tid2eid", DType::I32, top);
  const auto input_ids = k.input("input_ids", DType::I64, 1);
  const auto indices = k.output("indices", DType::I32, top);
  const auto weights = k.output("weights", DType::F32, top);

  k.vector([&](PartBuilder& p) {
    const GmTensor logits_gm = p.tensor(logits), indices_gm = p.tensor(indices), weights_gm = p.tensor(weights);
    std::vector<PartBuilder::RingMember> inputs{{Space::UB, DType::F32, split.step, e, Layout::ND, "logits"}};
    if (hash) inputs.push_back({Space::UB, DType::I32, split.step, top, Layout::ND, "table_rows"});
    Ring& load = p.ring(1, Pipe::MTE2, Pipe::V, inputs);
    const Tile term = p.ub(DType::F32, split.step, e, "term");
    const Tile token = p.column(DType::I64, split.step, "token_ids");
    const Tile sum = p.column(DType::F32, split.step, "sum");
    Ring& store = p.ring(1, Pipe::V, Pipe::MTE3,
                         {{Space::UB, DType::I32, split.step, top, Layout::ND, "indices"},
                          {Space::UB, DType::F32, split.step, top, Layout::ND, "weights"}});
    std::optional<TopExperts> best;
    if (!hash) best.emplace(p, split.step, e, top).prepare(p.tensor(gate_bias));

    split.for_each_step(p, [&](const Reg& row, const Reg& n) {
      load.produce();
      p.tload(load[0].valid(n, e), logits_gm.at(row, 0));  // (n, E) f32
      if (hash) {
        const GmTensor table = p.tensor(tid2eid), tokens = p.tensor(input_ids);
        const Tile table_row = load[1].view(0, 0, 1, top);
        p.tload(token.valid(n, 1), tokens.transposed_at(row, 0));  // (n, 1) i64
        p.sync(Pipe::MTE2, Pipe::S);
        p.for_range(0, n, 1, [&](const Reg& r) {
          const Reg id = p.load_tile(token.valid(n, 1), r, 0);
          const Reg offset = r * load[1].desc().pitch;
          p.tload(table_row.at(offset), table.at(id, 0));  // (1, KE) i32
        });
      }
      load.push();
      load.consume();
      const Tile score = load[0].valid(n, e);
      route_score(p, score, term.valid(n, e));
      store.produce();
      const Tile ids = store[0].valid(n, top), weight = store[1].valid(n, top);
      if (hash) {
        p.vec(Opcode::TCopy, ids, load[1].valid(n, top));
      } else {
        best->choose(ids, score, n);
      }
      p.vec(Opcode::TGather, weight, score, ids);
      load.pop();
      p.vec(Opcode::TRowSum, sum.valid(n, 1), weight);
      p.vec(Opcode::TRowExpandDiv, weight, weight, sum.valid(n, 1));
      p.vecs(Opcode::TMulS, weight, weight, cfg.route_scale);
      store.push();
      store.consume();
      p.tstore(indices_gm.at(row, 0), ids);
      p.tstore(weights_gm.at(row, 0), weight);
      store.pop();
    });
  });
  return pack(k, split.blocks());
}

}  // namespace

Kernel gate_route(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  constexpr std::uint32_t kBudget = 128 * 1024;  // bytes of UB for rows
  const std::uint32_t e = cfg.experts, top = cfg.top_k;
  if (top > e) {
    throw config_error("gate_route: num_experts_per_tok = {} exceeds the {} routed experts; choose at most {}", top, e,
                       e);
  }
  return build_fitting("gate_route",
                       split_rows(cfg.tokens(), arch.vector_cores(), 8, 8 * e + TopExperts::row_bytes(e), kBudget),
                       arch, choice, [&](const RowSplit& split) { return build(cfg, arch, split); });
}

}  // namespace npu::kernels
