// The one table of a decode layer's tensors (decode-layer.md S10): the generator, the loader, the
// references and the comparison all read it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kernels/common/layer_config.hpp"
#include "orchestration/data/tensor.hpp"

namespace npu::orch {

enum class Role : std::uint8_t {
  Input,         ///< read only; "in.<name>" in a file
  Pool,          ///< updated in place; "in.<name>", results "out.<name>" or "out.<name>.rows" and ".vals"
  Output,        ///< "out.<name>"
  Intermediate,  ///< the name itself, "mid.attn.q"
};

/// How a plain input is made (S10); `parameter` of the spec is the number in brackets.
enum class Init : std::uint8_t {
  None,               ///< results are not made
  Normal,             ///< standard normal times [gain]
  Constant,           ///< [value]
  UnitRmsRows,        ///< normal rows divided by their rms; pages that no token of the step can see stay zero
  QuantRows,          ///< normal times [gain], to bf16, to int8 with a scale per row
  QuantColumns,       ///< the same with a scale per column
  QuantColumnsAway,   ///< the same, ties rounded away from zero
  QuantScale,         ///< the scales of the tensor before it
  CompressorHistory,  ///< (kv, score) rows of positions before the start: normals times [gain]; others (0, -inf)
  RopeCos,
  RopeSin,
  Hadamard,         ///< Sylvester matrix / sqrt(n)
  BlockTable,       ///< request b owns [n] pages from b*n on; entries beyond n take them in turn again
  RingSlots,        ///< row of position mod window; [rows] per request
  StateSlots,       ///< row of position mod [rows] per request
  CompressedSlots,  ///< row of the window that the position completes, -1 where it completes none
  Positions,        ///< start of the request + token of the step
  SequenceLengths,  ///< start + seq
  TokenToExpert,    ///< (token * top_k + k) mod experts
  TokenIds,         ///< 0, 1, 2, ... mod vocab
};

/// What a tensor is to a step, beyond its role.
enum class Trait : std::uint8_t {
  None,
  StackBefore,      ///< the stack that a layer starts from: the host's, or the result of the layer in front of it
  StackAfter,       ///< the stack that a layer leaves for the one behind it
  CollapsedStack,   ///< what the model's end makes of the last layer's
  Ring,             ///< pool of the newest positions, written behind the attention, saved whole
  CompressedPages,  ///< pool of rows of completed windows, written in front of the attention
  ReceivedRows,     ///< rows of local experts; those from recv_count on carry no meaning
  ModelTable,       ///< indices that belong to the model, not to the step
};

/// Values of an index tensor lie in [first, limit).
struct IndexRange {
  std::int64_t first = 0;
  std::int64_t limit = 0;
};

struct TensorSpec {
  std::string_view name;
  isa::DType dtype;
  Role role;
  bool replicated;                              ///< the same on every rank
  std::uint8_t kinds;                           ///< bit per AttentionKind that uses it; 0: the model's, of no layer
  Shape (*shape)(const kernels::LayerConfig&);  ///< of one rank
  Init init = Init::None;
  double (*parameter)(const kernels::LayerConfig&) = nullptr;
  IndexRange (*range)(const kernels::LayerConfig&) = nullptr;  ///< null: no index
  Trait trait = Trait::None;

  [[nodiscard]] bool used_by(kernels::AttentionKind kind) const { return ((kinds >> isa::index_of(kind)) & 1U) != 0; }
  [[nodiscard]] bool of_layer() const { return kinds != 0; }
  [[nodiscard]] bool is_input() const { return role == Role::Input || role == Role::Pool; }
  /// Whether the host copies it to the cards in every step; weights, tables of the model and caches stay there.
  [[nodiscard]] bool arrives_each_step() const;
  /// Name in a file as an input, and as a result.
  [[nodiscard]] std::string input_key() const;
  [[nodiscard]] std::string result_key() const;
};

/// All tensors, in the order in which files hold them.
[[nodiscard]] std::span<const TensorSpec> layer_tensors();
/// Null where no tensor has the name.
[[nodiscard]] const TensorSpec* find_tensor(std::string_view name);
/// The one tensor of a trait that only one has.
[[nodiscard]] const TensorSpec& tensor_with(Trait trait);
/// ConfigError with the nearest name where no tensor has the name.
[[nodiscard]] const TensorSpec& tensor_spec(std::string_view name);

}  // namespace npu::orch
