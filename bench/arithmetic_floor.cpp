#include "bench/arithmetic_floor.hpp"

#include <omp.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <oneapi/dnnl/dnnl.hpp>

namespace npu::bench {
namespace {

using dnnl::memory;

/// Of the calling thread: a shared host takes nothing off it.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

memory::data_type operand_type(isa::DType dtype) {
  switch (dtype) {
    case isa::DType::I8:
      return memory::data_type::s8;
    case isa::DType::F32:
    case isa::DType::BF16:  // exact in f32, and the library has no bf16 for every processor
    case isa::DType::F16:
    case isa::DType::U8:
    case isa::DType::I16:
    case isa::DType::I32:
    case isa::DType::I64:
      break;
  }
  return memory::data_type::f32;
}

double best_seconds(const dnnl::engine& engine, dnnl::stream& stream, const Product& p) {
  const auto extent = [](std::uint64_t n) { return static_cast<memory::dim>(n); };
  const memory::data_type type = operand_type(p.dtype);
  const auto sum = type == memory::data_type::s8 ? memory::data_type::s32 : memory::data_type::f32;
  const memory::desc left{{extent(p.m), extent(p.k)}, type, memory::format_tag::ab};
  const memory::desc right{{extent(p.k), extent(p.n)}, type, memory::format_tag::any};
  const memory::desc result{{extent(p.m), extent(p.n)}, sum, memory::format_tag::ab};
  const dnnl::matmul::primitive_desc description{dnnl::matmul::desc{left, right, result}, engine};
  memory a{description.src_desc(), engine}, b{description.weights_desc(), engine}, c{description.dst_desc(), engine};
  std::fill_n(static_cast<std::byte*>(a.get_data_handle()), a.get_desc().get_size(), std::byte{});
  std::fill_n(static_cast<std::byte*>(b.get_data_handle()), b.get_desc().get_size(), std::byte{});
  const dnnl::matmul product{description};
  double best = std::numeric_limits<double>::max();
  for (int repetition = 0; repetition < 4; ++repetition) {
    const double begin = processor_seconds();
    product.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
    stream.wait();
    best = std::min(best, processor_seconds() - begin);
  }
  return best;
}

}  // namespace

std::optional<double> arithmetic_floor_seconds(const std::vector<Product>& products) {
  omp_set_num_threads(1);
  const dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  double seconds = 0;
  for (const Product& p : products) seconds += best_seconds(engine, stream, p) * static_cast<double>(p.count);
  return seconds;
}

}  // namespace npu::bench
