#include "traces/gzip.hpp"

#include <zlib.h>

#include "isa/errors.hpp"

namespace npu::traces {
namespace {

constexpr int kWindowBits = 15 + 16;  ///< the largest window, in the frame of gzip
constexpr int kMemoryLevel = 8;       ///< zlib's default
constexpr std::size_t kStep = std::size_t{1} << 16;

}  // namespace

void Gzip::End::operator()(z_stream_s* stream) const {
  deflateEnd(stream);
  delete stream;
}

Gzip::Gzip() {
  auto stream = std::make_unique<z_stream>();
  const int status =
      deflateInit2(stream.get(), Z_BEST_SPEED, Z_DEFLATED, kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY);
  NPU_ASSERT(status == Z_OK, "zlib starts a stream, or there is no memory");
  stream_.reset(stream.release());
}

std::string_view Gzip::deflated(std::string_view text, bool last) {
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib does not write there
  stream_->avail_in = static_cast<uInt>(text.size());
  std::size_t used = 0;
  do {
    output_.resize(used + kStep);
    stream_->next_out = reinterpret_cast<Bytef*>(output_.data() + used);
    stream_->avail_out = static_cast<uInt>(kStep);
    deflate(stream_.get(), last ? Z_FINISH : Z_NO_FLUSH);
    used += kStep - stream_->avail_out;
  } while (stream_->avail_out == 0);
  return {output_.data(), used};
}

}  // namespace npu::traces
