#include "model/system/writer_map.hpp"

#include <iterator>

namespace npu::model {

WriterMap::Map::const_iterator WriterMap::first_after(std::uint64_t begin) const {
  auto it = intervals_.upper_bound(begin);
  if (it != intervals_.begin() && std::prev(it)->second.end > begin) --it;
  return it;
}

void WriterMap::collect(std::uint64_t begin, std::uint64_t end, std::vector<std::uint32_t>& writers) const {
  for (auto it = first_after(begin); it != intervals_.end() && it->first < end; ++it) {
    writers.push_back(it->second.writer);
  }
}

void WriterMap::split(std::uint64_t at) {
  auto it = intervals_.lower_bound(at);
  if (it == intervals_.begin()) return;
  --it;
  if (it->second.end <= at) return;
  const Interval tail = it->second;
  it->second.end = at;
  intervals_.emplace(at, tail);
}

void WriterMap::assign(std::uint64_t begin, std::uint64_t end, std::uint32_t writer) {
  if (begin >= end) return;
  split(begin);
  split(end);
  intervals_.erase(intervals_.lower_bound(begin), intervals_.lower_bound(end));
  intervals_.emplace(begin, Interval{end, writer});
}

void WriterMap::retire(std::uint64_t begin, std::uint64_t end, std::uint32_t writer) {
  // The intervals of a live writer lie wholly inside the regions that it registered, so nothing needs cutting.
  for (auto it = intervals_.lower_bound(begin); it != intervals_.end() && it->first < end;) {
    it = it->second.writer == writer ? intervals_.erase(it) : std::next(it);
  }
}

}  // namespace npu::model
