// safetensors files: 8-byte little-endian header length, JSON header, raw little-endian data.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/data/tensor.hpp"

namespace npu::orch {

using Metadata = std::map<std::string, std::string, std::less<>>;

struct SafetensorsFile {
  std::string path;
  Metadata metadata;            ///< the strings of __metadata__
  std::vector<Tensor> tensors;  ///< in the order of their bytes

  /// Null where the file has no such tensor.
  [[nodiscard]] const Tensor* find(std::string_view name) const;
};

/// Longest header accepted; the limit of the format's own reader.
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// Maps the file; the tensors are views that keep the mapping alive (a tensor whose offset is not aligned to its
/// element is copied). Everything the header claims is checked: lengths, dtypes, offsets against shapes, overlaps,
/// gaps, duplicate names. Throws ConfigError naming file, tensor, what was expected and what is there.
[[nodiscard]] SafetensorsFile read_safetensors(const std::string& path);

/// A tensor to be written: its bytes are the parts one after the other (the ranks of a replicated tensor share theirs).
struct TensorRecord {
  std::string name;
  isa::DType dtype = isa::DType::F32;
  Shape shape;
  std::vector<std::span<const std::byte>> parts;
};
/// Writes the records in order, the header padded with blanks to a multiple of 8 bytes.
void write_safetensors(const std::string& path, const Metadata& metadata, std::span<const TensorRecord> records);

}  // namespace npu::orch
