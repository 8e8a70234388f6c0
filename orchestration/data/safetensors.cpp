#include "orchestration/data/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"
#include "orchestration/data/json_text.hpp"
#include "orchestration/data/mapped_file.hpp"
#include "traces/output_file.hpp"

namespace npu::orch {
namespace {

using nlohmann::json;

struct DTypeName {
  std::string_view name;
  isa::DType dtype;
};
constexpr std::array<DTypeName, 8> kDTypes{{{"I8", isa::DType::I8},
                                            {"U8", isa::DType::U8},
                                            {"I16", isa::DType::I16},
                                            {"I32", isa::DType::I32},
                                            {"I64", isa::DType::I64},
                                            {"F16", isa::DType::F16},
                                            {"BF16", isa::DType::BF16},
                                            {"F32", isa::DType::F32}}};
constexpr std::string_view kMetadataKey = "__metadata__";
constexpr std::size_t kLengthBytes = 8;

/// What the header says about one tensor.
struct Entry {
  std::string name;
  isa::DType dtype = isa::DType::F32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  ///< relative to the end of the header
};

/// The header as JSON. The format lets it begin with nothing but its brace.
json parse_header(const std::string& path, std::string_view text) {
  const std::string what = path + ": the header";
  if (!text.starts_with('{')) throw config_error("{} is not a JSON object: it must begin with '{{'", what);
  return parse_json(text, what);
}

isa::DType parse_dtype(const std::string& where, const json& value) {
  const std::string name = value.is_string() ? value.get<std::string>() : std::string{};
  for (const DTypeName& d : kDTypes) {
    if (d.name == name) return d.dtype;
  }
  throw config_error("{}: dtype '{}' is not supported; expected I8, U8, I16, I32, I64, F16, BF16 or F32", where,
                     isa::shown(name));
}

std::vector<std::uint64_t> parse_counts(const std::string& where, std::string_view key, const json& value) {
  std::vector<std::uint64_t> counts;
  bool good = value.is_array();
  if (good) {
    for (const json& n : value) {
      good = good && n.is_number_unsigned();
      if (good) counts.push_back(n.get<std::uint64_t>());
    }
  }
  if (!good) throw config_error("{}: {} must be an array of non-negative integers", where, key);
  return counts;
}

Entry parse_entry(const std::string& path, const std::string& name, const json& value, std::uint64_t data_bytes) {
  const std::string where = fmt::format("{}: tensor '{}'", path, isa::shown(name));
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets")) {
    throw config_error("{}: expected exactly dtype, shape and data_offsets", where);
  }
  Entry e{name, parse_dtype(where, value["dtype"]), parse_counts(where, "shape", value["shape"]), 0, 0};
  const auto offsets = parse_counts(where, "data_offsets", value["data_offsets"]);
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw config_error("{}: data_offsets must be [begin, end] with begin <= end", where);
  }
  e.begin = offsets[0];
  e.end = offsets[1];
  if (e.end > data_bytes) {
    throw config_error("{}: data_offsets end at {}, but the file has {} bytes of data (truncated?)", where, e.end,
                       data_bytes);
  }
  if (const std::uint64_t expected = byte_count(e.dtype, e.shape, where); expected != e.end - e.begin) {
    throw config_error("{}: {} {} takes {} bytes, but data_offsets span {} bytes", where, isa::name_of(e.dtype),
                       isa::shown(to_string(e.shape)), expected, e.end - e.begin);
  }
  return e;
}

Metadata parse_metadata(const std::string& path, const json& value) {
  if (!value.is_object()) throw config_error("{}: {} must be an object of strings", path, kMetadataKey);
  Metadata metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      throw config_error("{}: {} key '{}' must be a string", path, kMetadataKey, isa::shown(key));
    }
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

/// The data is covered from its first to its last byte, without overlaps.
void check_coverage(const std::string& path, const std::vector<Entry>& sorted, std::uint64_t data_bytes) {
  std::uint64_t end = 0;
  const Entry* previous = nullptr;
  const auto before = [&] { return previous == nullptr ? "the header" : "'" + isa::shown(previous->name) + "'"; };
  for (const Entry& e : sorted) {
    if (e.begin < end) {
      throw config_error("{}: tensor '{}' begins at {} and overlaps {}, which ends at {}", path, isa::shown(e.name),
                         e.begin, before(), end);
    }
    if (e.begin > end) {
      throw config_error("{}: tensor '{}' begins at {}, leaving {} bytes after {} to nobody", path, isa::shown(e.name),
                         e.begin, e.begin - end, before());
    }
    end = e.end;
    previous = &e;
  }
  if (end != data_bytes)
    throw config_error("{}: {} bytes follow the last tensor, {}", path, data_bytes - end, before());
}

Tensor make_tensor(Entry entry, std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % isa::size_of(entry.dtype) == 0) {
    return Tensor::view(std::move(entry.name), entry.dtype, std::move(entry.shape), bytes, std::move(owner));
  }
  Tensor copy = Tensor::zeros(std::move(entry.name), entry.dtype, std::move(entry.shape));
  std::copy(bytes.begin(), bytes.end(), copy.writable_bytes().begin());
  return copy;
}

}  // namespace

const Tensor* SafetensorsFile::find(std::string_view name) const {
  const auto it = std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name() == name; });
  return it == tensors.end() ? nullptr : &*it;
}

SafetensorsFile read_safetensors(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  if (bytes.size() < kLengthBytes) {
    throw config_error("{}: has {} bytes; a safetensors file begins with an 8-byte header length", path, bytes.size());
  }
  std::uint64_t header_bytes = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    header_bytes |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  if (header_bytes > kMaxHeaderBytes) {
    throw config_error("{}: the header length is {}; the limit is {} (not a safetensors file?)", path, header_bytes,
                       kMaxHeaderBytes);
  }
  if (header_bytes > bytes.size() - kLengthBytes) {
    throw config_error("{}: the header length is {}, but {} bytes follow it (truncated?)", path, header_bytes,
                       bytes.size() - kLengthBytes);
  }
  const auto text = bytes.subspan(kLengthBytes, header_bytes);
  const auto data = bytes.subspan(kLengthBytes + header_bytes);
  const json header = parse_header(path, {reinterpret_cast<const char*>(text.data()), text.size()});

  SafetensorsFile result{path, {}, {}};
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadataKey) {
      result.metadata = parse_metadata(path, value);
    } else {
      entries.push_back(parse_entry(path, name, value, data.size()));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_coverage(path, entries, data.size());
  for (Entry& e : entries) {
    const auto part = data.subspan(e.begin, e.end - e.begin);
    result.tensors.push_back(make_tensor(std::move(e), part, file));
  }
  return result;
}

void write_safetensors(const std::string& path, const Metadata& metadata, std::span<const TensorRecord> records) {
  auto header = nlohmann::ordered_json::object();
  header[std::string{kMetadataKey}] = metadata;
  std::uint64_t offset = 0;
  for (const TensorRecord& r : records) {
    std::uint64_t size = 0;
    for (const auto part : r.parts) size += part.size();
    NPU_ASSERT(size == byte_count(r.dtype, r.shape, r.name), "the parts of a record fill its shape");
    NPU_ASSERT(!header.contains(r.name), "a record's name is unique");
    const auto* dtype =
        std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeName& d) { return d.dtype == r.dtype; });
    header[r.name] = {{"dtype", dtype->name}, {"shape", r.shape}, {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');

  std::string length;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length += static_cast<char>((text.size() >> (8 * i)) & 0xFFU);
  traces::OutputFile out{path};
  out.write(length);
  out.write(text);
  for (const TensorRecord& r : records) {
    for (const auto part : r.parts) out.write(part);
  }
  out.finish();
}

}  // namespace npu::orch
