// A kernel object from its parts: `KernelBuilder k{"name", arch}; auto x = k.input(...); k.vector([&](PartBuilder& p)
// {...});`
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "isa/builder/part_builder.hpp"

namespace npu::isa {

class KernelBuilder {
 public:
  KernelBuilder(std::string name, ArchSpec arch) : arch_{std::move(arch)} { object_.name = std::move(name); }

  /// Tensor arguments are matrices with `cols` elements a row; LDARG order is declaration order.
  TensorArgument input(const std::string& name, DType dtype, std::uint32_t cols) {
    return tensor(name, ArgKind::In, dtype, cols);
  }
  TensorArgument output(const std::string& name, DType dtype, std::uint32_t cols) {
    return tensor(name, ArgKind::Out, dtype, cols);
  }
  TensorArgument inout(const std::string& name, DType dtype, std::uint32_t cols) {
    return tensor(name, ArgKind::InOut, dtype, cols);
  }
  /// Memory of each task that the runtime allocates; finish() says how much.
  TensorArgument workspace(DType dtype, std::uint32_t cols) {
    return tensor("workspace", ArgKind::Workspace, dtype, cols);
  }
  /// Scalars come after all tensors.
  ScalarArgument scalar(const std::string& name);

  void cube(const std::function<void(PartBuilder&)>& body) { object_.cube = part(CoreKind::AIC, body); }
  void vector(const std::function<void(PartBuilder&)>& body) { object_.vector = part(CoreKind::AIV, body); }
  /// A kernel whose tasks have so many blocks and, where it declares a workspace, so many bytes of it, whole rows.
  /// Throws CapacityError when the tiles do not fit, ProgramError when a part breaks a static rule (verifier).
  [[nodiscard]] KernelObject finish(std::uint32_t blocks = 1, std::uint64_t workspace_bytes = 0);
  /// What each space of both parts holds, for `fit`.
  [[nodiscard]] const std::vector<Allocation>& memory_map() const { return memory_map_; }

 private:
  TensorArgument tensor(const std::string& name, ArgKind kind, DType dtype, std::uint32_t cols);
  Program part(CoreKind kind, const std::function<void(PartBuilder&)>& body);

  ArchSpec arch_;
  KernelObject object_;
  std::vector<Allocation> memory_map_;
};

}  // namespace npu::isa
