#include "orchestration/host/device_tensors.hpp"

#include <algorithm>

#include "isa/errors.hpp"

namespace npu::orch {
namespace {

using C = kernels::LayerConfig;
using isa::DType;

std::uint64_t one(const C&) { return 1; }
std::uint64_t padded_scalar(const C&) { return 8; }  ///< every small transfer is 32 bytes
std::uint64_t hidden(const C& c) { return c.hidden; }
std::uint64_t ranks(const C& c) { return c.ranks; }
std::uint64_t rank_pairs(const C& c) { return std::uint64_t{c.ranks} * c.ranks; }
std::uint64_t local_experts(const C& c) { return c.local_experts; }
std::uint64_t recv_rows(const C& c) { return c.recv_rows(); }
std::uint64_t routes(const C& c) { return c.routes(); }

}  // namespace

std::vector<WindowSpec> exchange_windows() {
  return {
      {"win_pub_counts", DType::I32, rank_pairs, local_experts},
      {"win_count_done", DType::I32, ranks, one},
      {"win_data_done", DType::I32, ranks, one},
      {"win_x", DType::I8, recv_rows, hidden},
      {"win_scale", DType::F32, recv_rows, padded_scalar},
      {"win_w", DType::F32, recv_rows, padded_scalar},
      {"win_route", DType::I32, recv_rows, padded_scalar},
      {"win_y", DType::BF16, routes, hidden},
      {"win_combine_done", DType::I32, ranks, one},
  };
}

bool is_exchange_window(std::string_view tensor) {
  const auto windows = exchange_windows();
  return std::any_of(windows.begin(), windows.end(), [&](const WindowSpec& w) { return w.name == tensor; });
}

DeviceTensors::DeviceTensors(model::System& system, const C& config, std::uint32_t cards) : system_{system} {
  for (const WindowSpec& window : exchange_windows()) {
    for (std::uint32_t card = 0; card < cards; ++card) {
      const auto& tensor =
          add(card, std::string{window.name}, window.dtype, {window.rows(config), window.cols(config)});
      NPU_ASSERT(tensor.address == get(0, window.name).address + (std::uint64_t{card} << model::kCardShift),
                 "a window has the same offset on every card");
    }
  }
}

const DeviceTensor& DeviceTensors::add(std::uint32_t card, std::string name, DType dtype, Shape shape) {
  const isa::Bytes size{byte_count(dtype, shape, name)};
  const model::GmAddress address = system_.allocate(card, size, name);
  const auto [it, is_new] = tensors_.try_emplace(
      std::pair{card, name},
      DeviceTensor{.name = name, .dtype = dtype, .shape = std::move(shape), .address = address, .size = size});
  NPU_ASSERT(is_new, "a card's tensor names are unique");
  return it->second;
}

const DeviceTensor* DeviceTensors::find(std::uint32_t card, std::string_view name) const {
  const auto it = tensors_.find(std::pair{card, std::string{name}});
  return it == tensors_.end() ? nullptr : &it->second;
}

const DeviceTensor& DeviceTensors::get(std::uint32_t card, std::string_view name) const {
  const DeviceTensor* tensor = find(card, name);
  NPU_ASSERT(tensor != nullptr, "the card has the tensor");
  return *tensor;
}

void DeviceTensors::write(const DeviceTensor& target, const Tensor& source) {
  NPU_ASSERT(source.dtype() == target.dtype && source.bytes().size() == target.size.count(),
             "host and device tensor have one form");
  const auto to = system_.bytes(target.address, target.size);
  copy_differences(to, source.bytes());
}

Tensor DeviceTensors::view(const DeviceTensor& source) const {
  return Tensor::view(source.name, source.dtype, source.shape, system_.bytes(source.address, source.size), nullptr);
}

void DeviceTensors::share(const DeviceTensor& target, const Tensor& source) {
  constexpr std::uint64_t kWorthSharing = 1U << 16U;
  if (target.size.count() < kWorthSharing) return write(target, source);
  NPU_ASSERT(source.dtype() == target.dtype && source.bytes().size() == target.size.count(),
             "host and device tensor have one form");
  if (!system_.map(target.address, source.bytes())) return write(target, source);
  shared_.push_back(source);
}

Tensor DeviceTensors::read(const DeviceTensor& source) const {
  Tensor result = Tensor::zeros(source.name, source.dtype, source.shape);
  const auto from = system_.bytes(source.address, source.size);
  copy_differences(result.writable_bytes(), from);
  return result;
}

}  // namespace npu::orch
