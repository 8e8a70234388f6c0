// Tensors of random values: normals, unit-rms rows, quantised weights. All are functions of the stream alone, whatever
// the number of threads.
#pragma once

#include <cstdint>

#include "orchestration/data/random.hpp"
#include "orchestration/data/tensor.hpp"

namespace npu::orch {

/// Every element of a bf16 or f32 tensor is a standard normal times `gain`.
void fill_normal(Tensor& tensor, const RandomStream& stream, double gain, unsigned threads);

/// Rows [first, first + count) of a bf16 tensor: normals divided by the root of the row's mean square.
void fill_unit_rms_rows(Tensor& tensor, const RandomStream& stream, std::uint64_t first, std::uint64_t count);

enum class QuantAxis : std::uint8_t { Rows, Columns };
enum class Ties : std::uint8_t { Even, Away };
/// int8 weights as the reference makes them (S10): w = bf16(normal * gain); per row or column s = 127 / max(max |w|,
/// 1e-4); weight = w * s rounded, within +-127; scale = 1 / s. A rows tensor is [..., columns] with scale [...]; a
/// columns tensor is [rows, columns] with scale [columns].
void fill_quantised(Tensor& weight, Tensor& scale, const RandomStream& stream, double gain, QuantAxis axis, Ties ties,
                    unsigned threads);

}  // namespace npu::orch
