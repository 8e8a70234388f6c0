// A FIFO in one growing power-of-two array: no allocation once warm.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace npu::model {

template <class T>
class RingBuffer {
 public:
  [[nodiscard]] bool empty() const { return head_ == tail_; }
  [[nodiscard]] std::size_t size() const { return tail_ - head_; }
  [[nodiscard]] T& front() { return slots_[head_ & (slots_.size() - 1)]; }
  [[nodiscard]] const T& front() const { return slots_[head_ & (slots_.size() - 1)]; }
  [[nodiscard]] const T& back() const { return slots_[(tail_ - 1) & (slots_.size() - 1)]; }
  T& push() {
    if (size() == slots_.size()) grow();
    return slots_[tail_++ & (slots_.size() - 1)];
  }
  void pop() { ++head_; }
  void clear() { head_ = tail_ = 0; }

 private:
  void grow() {
    std::vector<T> larger(std::max(kFewest, slots_.size() * 2));
    const std::size_t n = size();
    for (std::size_t i = 0; i < n; ++i) larger[i] = std::move(slots_[(head_ + i) & (slots_.size() - 1)]);
    slots_ = std::move(larger);
    head_ = 0;
    tail_ = n;
  }
  static constexpr std::size_t kFewest = 32;
  std::vector<T> slots_;  ///< none until the first push: most cores of a small kernel never run
  std::size_t head_ = 0, tail_ = 0;
};

}  // namespace npu::model
