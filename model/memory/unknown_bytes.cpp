#include "model/memory/unknown_bytes.hpp"

#include <algorithm>

namespace npu::model {
namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr unsigned kWordShift = 6;  // blocks of a word
constexpr std::uint64_t kInWord = 63;

/// Calls f(word, bits) for the words that hold the blocks of [begin, end), until it returns false.
template <class F>
void for_words(unsigned block_shift, std::uint64_t begin, std::uint64_t end, F&& f) {
  if (begin >= end) return;
  const std::uint64_t first = begin >> block_shift, last = (end - 1) >> block_shift;
  for (std::uint64_t word = first >> kWordShift; word <= last >> kWordShift; ++word) {
    std::uint64_t bits = kAll;
    if (word == first >> kWordShift) bits &= kAll << (first & kInWord);
    if (word == last >> kWordShift) bits &= kAll >> (kInWord - (last & kInWord));
    if (!f(static_cast<std::size_t>(word), bits)) return;
  }
}

}  // namespace

void UnknownBytes::mark(std::uint64_t begin, std::uint64_t end) {
  for_words(block_shift_, begin, end, [&](std::size_t word, std::uint64_t bits) {
    if (word >= words_.size()) words_.resize(std::max(word + 1, words_.size() * 2), 0);
    words_[word] |= bits;
    return true;
  });
}

void UnknownBytes::clear(std::uint64_t begin, std::uint64_t end) {
  for_words(block_shift_, begin, end, [&](std::size_t word, std::uint64_t bits) {
    if (word >= words_.size()) return false;
    words_[word] &= ~bits;
    return true;
  });
}

bool UnknownBytes::any(std::uint64_t begin, std::uint64_t end) const {
  bool found = false;
  for_words(block_shift_, begin, end, [&](std::size_t word, std::uint64_t bits) {
    if (word >= words_.size()) return false;
    found = (words_[word] & bits) != 0;
    return !found;
  });
  return found;
}

}  // namespace npu::model
