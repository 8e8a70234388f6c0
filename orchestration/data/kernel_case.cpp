#include "orchestration/data/kernel_case.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "isa/shown_text.hpp"
#include "orchestration/data/random.hpp"
#include "orchestration/data/safetensors.hpp"

namespace npu::orch {
namespace {

using isa::ArgInfo;
using isa::ArgKind;
using isa::DType;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

/// Calls f with an element of the C++ type that the dtype stores.
template <class F>
void with_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::I8:
      return f(std::int8_t{});
    case DType::U8:
      return f(std::uint8_t{});
    case DType::I16:
      return f(std::int16_t{});
    case DType::I32:
      return f(std::int32_t{});
    case DType::I64:
      return f(std::int64_t{});
    case DType::F16:
      return f(isa::Fp16{});
    case DType::BF16:
      return f(isa::Bf16{});
    case DType::F32:
      return f(float{});
  }
}

template <class T>
T element(double value, std::string_view name) {
  if constexpr (std::is_same_v<T, isa::Bf16>) {
    return isa::to_bf16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, isa::Fp16>) {
    return isa::to_fp16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, float>) {
    return static_cast<float>(value);
  } else {
    // A double holds every bound but that of i64, which rounds up to the first value outside.
    const bool fits = value == std::floor(value) && value >= static_cast<double>(std::numeric_limits<T>::min()) &&
                      (sizeof(T) == 8 ? value < static_cast<double>(std::numeric_limits<T>::max())
                                      : value <= static_cast<double>(std::numeric_limits<T>::max()));
    if (!fits) throw config_error("--args: {} is {}, which holds no {}", name, isa::name_of(dtype_of<T>()), value);
    return static_cast<T>(value);
  }
}

constexpr std::uint32_t kRandomIntegers = 17;  ///< -8 to 8

template <class T>
void fill_random(std::span<T> out, const RandomStream& stream) {
  std::vector<std::uint16_t> bits(out.size());
  stream.fill(0, bits);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if constexpr (std::is_integral_v<T>) {
      const int value = static_cast<int>(bits[i] % kRandomIntegers) - (std::is_signed_v<T> ? 8 : 0);
      out[i] = static_cast<T>(value);
    } else {
      out[i] = element<T>(bits[i] / 32768.0 - 1.0, "");
    }
  }
}

Tensor make_tensor(const ArgInfo& argument, const ArgumentText& text, std::uint64_t seed, std::uint32_t card) {
  Tensor tensor = Tensor::zeros(argument.name, text.dtype, text.shape);
  const std::string init = !text.init.empty() ? text.init : argument.kind == ArgKind::In ? "random" : "zero";
  with_type(text.dtype, [&]<class T>(T) {
    const std::span<T> out = tensor.writable<T>();
    if (init == "random") {
      fill_random(out, RandomStream{seed, argument.name, card});
    } else if (init == "iota") {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = element<T>(static_cast<double>(i), text.name);
    } else if (init != "zero") {
      const auto value = parse_number<double>(init);
      if (!value) {
        throw config_error("--args: {} starts as '{}'; expected zero, iota, random or a number", text.name,
                           isa::shown(init));
      }
      std::fill(out.begin(), out.end(), element<T>(*value, text.name));
    }
  });
  return tensor;
}

/// The tensor of each card: the file's along its first axis, or the file's itself on a single card.
std::vector<Tensor> per_card(const Tensor& tensor, const ArgInfo& argument, std::uint32_t cards,
                             const std::string& file) {
  if (tensor.dtype() != argument.dtype) {
    throw config_error("{}: tensor '{}' is {}; argument {} of the kernel is {}", file, tensor.name(),
                       isa::name_of(tensor.dtype()), argument.name, isa::name_of(argument.dtype));
  }
  if (cards == 1) return {tensor};
  if (tensor.shape().empty() || tensor.shape()[0] != cards) {
    throw config_error("{}: tensor '{}' is {}; its first axis is the card, of which there are {}", file, tensor.name(),
                       to_string(tensor.shape()), cards);
  }
  std::vector<Tensor> tensors;
  for (std::uint32_t card = 0; card < cards; ++card) tensors.push_back(tensor.slice(card));
  return tensors;
}

std::string form_of(const ArgInfo& argument) {
  return argument.kind == ArgKind::Scalar
             ? fmt::format("--args {}=INTEGER", argument.name)
             : fmt::format("--args {}={}:ROWSxCOLS[:INIT]", argument.name, isa::name_of(argument.dtype));
}

void require_known(const isa::KernelObject& kernel, std::string_view name) {
  std::vector<std::string_view> names;
  for (const ArgInfo& argument : kernel.args) {
    if (argument.kind != ArgKind::Workspace) names.push_back(argument.name);
  }
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  if (names.empty()) throw config_error("--args {}: kernel {} takes no arguments", name, kernel.name);
  throw config_error("--args: kernel {} has no argument '{}'; nearest is '{}'", kernel.name, isa::shown(name),
                     isa::nearest_name(name, names));
}

/// Whether somebody gives it, or asks for what became of it.
bool is_tensor(const ArgInfo& argument) {
  return argument.kind != ArgKind::Scalar && argument.kind != ArgKind::Workspace;
}
bool is_written(const ArgInfo& argument) { return argument.kind == ArgKind::Out || argument.kind == ArgKind::InOut; }

/// Every tensor of the file belongs to an argument: in.NAME of a tensor, out.NAME of one that the kernel writes.
void require_known_tensors(const isa::KernelObject& kernel, const SafetensorsFile& data) {
  std::set<std::string> names;
  for (const ArgInfo& argument : kernel.args) {
    if (is_tensor(argument)) names.insert("in." + argument.name);
    if (is_written(argument)) names.insert("out." + argument.name);
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const Tensor& tensor : data.tensors) {
    if (names.contains(tensor.name())) continue;
    const std::string where = fmt::format("{}: tensor '{}'", data.path, isa::shown(tensor.name()));
    if (known.empty()) throw config_error("{}: kernel {} takes no tensors", where, kernel.name);
    throw config_error(
        "{}: kernel {} has no such tensor; in.NAME is an argument, out.NAME one that it writes; nearest is "
        "'{}'",
        where, kernel.name, isa::nearest_name(tensor.name(), known));
  }
}

/// The text names what the argument is.
void check_text(const ArgInfo& argument, const ArgumentText& text) {
  if ((argument.kind == ArgKind::Scalar) != text.scalar.has_value()) {
    throw config_error("--args: {} is a {}; give it as {}", argument.name,
                       argument.kind == ArgKind::Scalar ? "scalar" : "tensor", form_of(argument));
  }
  if (!text.scalar && text.dtype != argument.dtype) {
    throw config_error("--args: {} is given as {}; the kernel declares {}", argument.name, isa::name_of(text.dtype),
                       isa::name_of(argument.dtype));
  }
}

void require_same_shape(const Shape& given, const Shape& in_file, std::string_view given_by, const ArgInfo& argument,
                        std::string_view prefix, const std::string& file) {
  if (given == in_file) return;
  throw config_error("{} is {} a card, but {} holds {}{} of {}; leave one out", given_by, to_string(given), file,
                     prefix, argument.name, to_string(in_file));
}

/// The code of a kernel that states shapes is made for them.
void require_stated_shape(const ArgInfo& argument, const Tensor& tensor) {
  if (argument.cols == 0) return;
  const std::uint64_t elements = tensor.elements();
  if (argument.rows != 0 ? tensor.bytes().size() == argument.bytes() : elements % argument.cols == 0) return;
  const std::string rows = argument.rows != 0 ? fmt::format("{}", argument.rows) : "any number of";
  throw config_error("argument {} is given as {}, but the kernel is made for {} rows of {}; give that shape",
                     argument.name, to_string(tensor.shape()), rows, argument.cols);
}

/// A tensor argument from the file, the text, or the form of what is expected of it.
KernelValue tensor_value(const ArgInfo& argument, const ArgumentText* text, const SafetensorsFile& data,
                         std::uint32_t cards, std::uint64_t seed) {
  const Tensor* const before = data.find("in." + argument.name);
  const Tensor* const after = is_written(argument) ? data.find("out." + argument.name) : nullptr;
  const std::string given = "--args " + argument.name;
  KernelValue value;
  if (after != nullptr) value.expected = per_card(*after, argument, cards, data.path);
  if (before != nullptr) {
    value.tensors = per_card(*before, argument, cards, data.path);
    if (text != nullptr) require_same_shape(text->shape, value.tensors[0].shape(), given, argument, "in.", data.path);
    if (text != nullptr && !text->init.empty()) {
      throw config_error("{} starts as {}, but {} brings its values as in.{}; leave one out", given,
                         isa::shown(text->init), data.path, argument.name);
    }
  } else if (text != nullptr) {
    for (std::uint32_t card = 0; card < cards; ++card)
      value.tensors.push_back(make_tensor(argument, *text, seed, card));
  } else if (argument.kind == ArgKind::Out && after != nullptr) {
    for (const Tensor& t : value.expected) {
      value.tensors.push_back(Tensor::zeros(argument.name, argument.dtype, t.shape()));
    }
  } else if (argument.rows != 0) {
    const ArgumentText stated{.name = argument.name,
                              .scalar = {},
                              .dtype = argument.dtype,
                              .shape = {argument.rows, argument.cols},
                              .init = {}};
    for (std::uint32_t card = 0; card < cards; ++card)
      value.tensors.push_back(make_tensor(argument, stated, seed, card));
  } else {
    throw config_error("argument {} has no value; give {} or --data FILE with {}.{}", argument.name, form_of(argument),
                       argument.kind == ArgKind::Out ? "out" : "in", argument.name);
  }
  if (after != nullptr) {
    require_same_shape(value.tensors[0].shape(), value.expected[0].shape(),
                       before != nullptr ? "in." + argument.name : given, argument, "out.", data.path);
  }
  require_stated_shape(argument, value.tensors[0]);
  return value;
}

}  // namespace

Tensor random_tensor(const std::string& name, DType dtype, const Shape& shape, std::uint64_t seed, std::uint32_t card) {
  Tensor tensor = Tensor::zeros(name, dtype, shape);
  with_type(dtype, [&]<class T>(T) { fill_random(tensor.writable<T>(), RandomStream{seed, name, card}); });
  return tensor;
}

ArgumentText parse_argument(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return config_error("--args {}: {}; expected NAME=DTYPE:ROWSxCOLS[:INIT] or NAME=INTEGER", isa::shown(text), why);
  };
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) throw refuse("no name");
  ArgumentText result;
  result.name = text.substr(0, equals);
  const auto pieces = split(text.substr(equals + 1), ':');
  if (pieces.size() == 1) {
    result.scalar = parse_number<std::int64_t>(pieces[0]);
    if (!result.scalar) throw refuse(fmt::format("'{}' is no integer", isa::shown(pieces[0])));
    return result;
  }
  if (pieces.size() > 3) throw refuse("too many parts");
  const auto dtype = std::find(isa::kDTypeNames.begin(), isa::kDTypeNames.end(), pieces[0]);
  if (dtype == isa::kDTypeNames.end()) {
    throw refuse(fmt::format("unknown dtype '{}', nearest is '{}'", isa::shown(pieces[0]),
                             isa::nearest_name(pieces[0], isa::kDTypeNames)));
  }
  result.dtype = static_cast<DType>(dtype - isa::kDTypeNames.begin());
  for (const std::string_view extent : split(pieces[1], 'x')) {
    const auto value = parse_number<std::uint64_t>(extent);
    if (!value || *value == 0) throw refuse(fmt::format("extent '{}' is no positive integer", isa::shown(extent)));
    result.shape.push_back(*value);
  }
  static_cast<void>(byte_count(result.dtype, result.shape, fmt::format("--args {}", result.name)));
  if (pieces.size() == 3) result.init = pieces[2];
  return result;
}

void require_room(const std::vector<std::string>& arguments, isa::Bytes hbm) {
  std::uint64_t left = hbm.count();
  for (const std::string& argument : arguments) {
    const ArgumentText text = parse_argument(argument);
    if (text.scalar) continue;
    const std::uint64_t bytes = byte_count(text.dtype, text.shape, text.name);
    if (bytes > left) {
      throw config_error(
          "--args {}: {} of {} needs {} bytes, but a card has {} of {} bytes of HBM left (memory.hbm_capacity_gib): "
          "use "
          "smaller tensors",
          text.name, isa::name_of(text.dtype), to_string(text.shape), bytes, left, hbm.count());
    }
    left -= bytes;
  }
}

std::vector<KernelValue> make_kernel_values(const isa::KernelObject& kernel, const std::vector<std::string>& arguments,
                                            const std::string& file, std::uint32_t cards, std::uint64_t seed) {
  std::map<std::string, ArgumentText> texts;
  for (const std::string& argument : arguments) {
    const ArgumentText text = parse_argument(argument);
    require_known(kernel, text.name);
    if (!texts.emplace(text.name, text).second) throw config_error("--args: {} is given twice", text.name);
  }
  SafetensorsFile data;
  if (!file.empty()) data = read_safetensors(file);
  require_known_tensors(kernel, data);
  std::vector<KernelValue> values;
  for (const ArgInfo& argument : kernel.args) {
    const auto found = texts.find(argument.name);
    const ArgumentText* const text = found == texts.end() ? nullptr : &found->second;
    if (text != nullptr) check_text(argument, *text);
    if (argument.kind == ArgKind::Workspace) {
      values.emplace_back();
    } else if (is_tensor(argument)) {
      values.push_back(tensor_value(argument, text, data, cards, seed));
    } else if (text != nullptr) {
      values.push_back({.scalar = *text->scalar, .tensors = {}, .expected = {}});
    } else {
      throw config_error("argument {} has no value; give {}", argument.name, form_of(argument));
    }
  }
  return values;
}

Rule default_rule(DType dtype) {
  constexpr double kStep16 = 1.0 / 128;  // one step of bf16
  switch (dtype) {
    case DType::F16:
    case DType::BF16:
      return RatioAllClose{1e-4, kStep16};
    case DType::F32:
      return AllClose{1e-3, 1e-3};
    case DType::I8:
    case DType::U8:
    case DType::I16:
    case DType::I32:
    case DType::I64:
      return Exact{};
  }
  return Exact{};
}

void save_kernel_values(const std::string& path, const isa::KernelObject& kernel,
                        const std::vector<KernelValue>& values, const std::vector<std::vector<Tensor>>& results) {
  std::vector<TensorRecord> records;
  const auto add = [&](const std::string& name, const std::vector<Tensor>& tensors) {
    TensorRecord record{.name = name, .dtype = tensors[0].dtype(), .shape = tensors[0].shape(), .parts = {}};
    if (tensors.size() > 1) record.shape.insert(record.shape.begin(), tensors.size());
    for (const Tensor& tensor : tensors) record.parts.push_back(tensor.bytes());
    records.push_back(std::move(record));
  };
  for (std::size_t i = 0; i < kernel.args.size(); ++i) {
    if (!is_tensor(kernel.args[i])) continue;
    add("in." + kernel.args[i].name, values[i].tensors);
    if (kernel.args[i].kind != ArgKind::In) add("out." + kernel.args[i].name, results[i]);
  }
  write_safetensors(path, {{"kernel", kernel.name}}, records);
}

}  // namespace npu::orch
