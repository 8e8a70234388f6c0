// What a kernel object is run with outside of a layer: values of its arguments from text or from a data file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "isa/program.hpp"
#include "isa/units.hpp"
#include "orchestration/data/compare.hpp"
#include "orchestration/data/tensor.hpp"

namespace npu::orch {

/// One argument as `--args` gives it: NAME=DTYPE:RxC[:INIT] for a tensor, NAME=INTEGER for a scalar.
struct ArgumentText {
  std::string name;
  std::optional<std::int64_t> scalar;
  isa::DType dtype = isa::DType::F32;
  Shape shape;
  std::string init;  ///< zero, iota, random or a number; empty: by the argument's kind
};
/// ConfigError that quotes the text and names the forms.
[[nodiscard]] ArgumentText parse_argument(std::string_view text);

/// One argument of the kernel.
struct KernelValue {
  std::int64_t scalar = 0;
  std::vector<Tensor> tensors;   ///< one per card before the run; empty for a scalar and a workspace
  std::vector<Tensor> expected;  ///< one per card after the run; empty where nobody knows
};

/// ConfigError where a tensor of --args, or all of them together, are larger than the memory of a card: names the first
/// that finds no room. Makes none.
void require_room(const std::vector<std::string>& arguments, isa::Bytes hbm);

/// Values of all arguments, in their order. `file` (may be empty) is a safetensors file with in.NAME, the tensor before
/// the run, and out.NAME, the expected tensor after it, which also gives the shape of an output; with several cards
/// both have the card as first axis. A text beside in.NAME may repeat its shape. Random values differ per seed,
/// argument and card: floats uniform in [-1, 1), integers in [-8, 8]. A tensor whose shape the kernel states needs
/// neither; a workspace has no value. ConfigError: an argument without value or given twice, an unknown one or a tensor
/// of the file that is none (with the nearest), another dtype or shape, a number that the dtype does not hold.
[[nodiscard]] std::vector<KernelValue> make_kernel_values(const isa::KernelObject& kernel,
                                                          const std::vector<std::string>& arguments,
                                                          const std::string& file, std::uint32_t cards,
                                                          std::uint64_t seed);

/// Random values: floats in [-1, 1), integers in [-8, 8] (unsigned: [0, 16]); a stream of its own for each seed, name
/// and card.
[[nodiscard]] Tensor random_tensor(const std::string& name, isa::DType dtype, const Shape& shape, std::uint64_t seed,
                                   std::uint32_t card);

/// The rule for expectations that come without one: integers are equal, floats close for their type.
[[nodiscard]] Rule default_rule(isa::DType dtype);

/// Writes in.NAME of all tensors and out.NAME of those that the kernel writes, in the form that make_kernel_values
/// reads. `results` holds the tensors per argument and card after the run.
void save_kernel_values(const std::string& path, const isa::KernelObject& kernel,
                        const std::vector<KernelValue>& values, const std::vector<std::vector<Tensor>>& results);

}  // namespace npu::orch
