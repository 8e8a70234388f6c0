// Runs kernels on a simulated system with named host buffers. One bench per process (SystemC).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "isa/types.hpp"
#include "kernels/common/kernel.hpp"
#include "model/device.hpp"

namespace npu::test {

/// One kernel on every card.
struct Launch {
  const kernels::Kernel* kernel;
  std::map<std::string, std::int64_t> scalars;  ///< by argument name
  std::string scope;                            ///< a tensor named scope + argument goes before one named like it
};

class KernelBench {
 public:
  /// The shipped a2a3 machine with `cards` cards, delayed against each other by `start_skew_us`, if given.
  explicit KernelBench(std::uint32_t cards = 1, traces::Sink* sink = nullptr, std::vector<double> start_skew_us = {});
  KernelBench(const model::Machine& machine, std::uint32_t cards, traces::Sink* sink,
              std::vector<double> start_skew_us = {}, model::Mode mode = model::Mode::Timed,
              std::vector<model::Observer*> observers = {});

  /// Binds the argument `name` on `card` to a tensor with these elements. Tensors bound in the same order and of the
  /// same size on every card lie at the same offset (symmetric windows).
  template <class T>
  void bind(const std::string& name, const std::vector<T>& values, std::uint32_t card = 0) {
    const model::Bytes size{values.size() * sizeof(T)};
    const model::GmAddress address = system_.allocate(card, size, name);
    std::memcpy(system_.bytes(address, size).data(), values.data(), size.count());
    tensors_[card][name] = {address, size};
  }
  /// Runs the kernel on every card at the same time. Throws what the run throws.
  void run(const kernels::Kernel& kernel) { run({{&kernel, {}, {}}}); }
  /// Runs the kernels on every card in one simulation; on a card each starts after the one before it.
  void run(const std::vector<Launch>& launches);
  template <class T>
  [[nodiscard]] std::vector<T> read(const std::string& name, std::uint32_t card = 0) {
    const Bound& bound = tensors_[card].at(name);
    std::vector<T> values(bound.size.count() / sizeof(T));
    std::memcpy(values.data(), system_.bytes(bound.address, bound.size).data(), bound.size.count());
    return values;
  }
  [[nodiscard]] model::RunStats stats() const { return system_.stats(); }
  /// First block's start to last block's end of the task on card 0, microseconds.
  [[nodiscard]] double task_us() const;

 private:
  [[nodiscard]] model::TaskSpec task_of(const Launch& launch, std::uint32_t card);

  struct Bound {
    model::GmAddress address{};
    model::Bytes size;
  };
  model::Machine machine_;
  model::System system_;
  std::vector<std::map<std::string, Bound>> tensors_;
};

}  // namespace npu::test
