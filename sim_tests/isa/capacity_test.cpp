#include "isa/builder/capacity.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "isa/builder/kernel_builder.hpp"

namespace npu::isa {
namespace {

using Catch::Matchers::Contains;

/// A kernel of one vector part that only allocates.
KernelBuilder allocating(const ArchSpec& arch, const std::function<void(PartBuilder&)>& body) {
  KernelBuilder k{"greedy", arch};
  k.input("x", DType::F32, 64);
  k.vector(body);
  return k;
}

}  // namespace

TEST_CASE("A budget counts all tiles and the slots of rings, and names the largest tile") {
  const ArchSpec arch = a2a3_arch_spec();
  const KernelBuilder k = allocating(arch, [](PartBuilder& p) {
    (void)p.ub(DType::F32, 16, 64, "a");                                                        // 4096
    (void)p.ring(3, Pipe::MTE2, Pipe::V, {{Space::UB, DType::BF16, 8, 256, Layout::ND, "b"}});  // 3 * 4096
  });
  const auto budgets = budgets_of(k.memory_map(), arch);
  REQUIRE(budgets.size() == 1);
  CHECK(budgets[0].space == Space::UB);
  CHECK(budgets[0].used == 4 * 4096);
  CHECK(budgets[0].limit == 184 * 1024);
  CHECK_FALSE(budgets[0].is_over());
  CHECK(first_cut(budgets[0]) == "columns of b (3 slots of 8x256 bf16)");
}

TEST_CASE("Tiles that do not fit are refused with their whole need, the first cut and the memory map") {
  ArchSpec arch = a2a3_arch_spec();
  arch.buffers[index_of(Space::UB)].capacity = Bytes{10'240};
  KernelBuilder k = allocating(arch, [](PartBuilder& p) {
    (void)p.ub(DType::F32, 16, 64, "small");   // 4096
    (void)p.ub(DType::F32, 128, 16, "large");  // 8192: 2048 too many
  });
  try {
    (void)k.finish();
    FAIL("accepted");
  } catch (const CapacityError& error) {
    CHECK_THAT(error.what(), Contains("kernel greedy: its tiles need 12288 bytes of ub, a2a3 has 10240 (core.ub_kib)"));
    CHECK_THAT(error.what(), Contains("cut the rows of large (128x16 f32) to 96"));
    CHECK_THAT(error.what(), Contains("4096 + 8192     large"));
    CHECK(budgets_of(error.memory_map, arch).at(0).is_over());
  }
}

TEST_CASE("Where one tile is not enough, the others have to shrink too") {
  ArchSpec arch = a2a3_arch_spec();
  arch.buffers[index_of(Space::UB)].capacity = Bytes{1024};
  const KernelBuilder k = allocating(arch, [](PartBuilder& p) {
    for (const char* name : {"a", "b", "c"}) (void)p.ub(DType::F32, 8, 32, name);  // 1024 each
  });
  CHECK(first_cut(budgets_of(k.memory_map(), arch).at(0)) == "columns of a (8x32 f32), and those of other tiles");
}

TEST_CASE("A ring over spaces of different alignment keeps every slot of every member aligned") {
  ArchSpec arch = a2a3_arch_spec();
  arch.buffers[index_of(Space::L0B)].alignment = 1024;
  KernelBuilder k{"ring", arch};
  k.cube([](PartBuilder& p) {
    (void)p.ring(2, Pipe::MTE1, Pipe::M,
                 {{Space::L0A, DType::BF16, 16, 48, Layout::ZZ, "left"},     // 1536
                  {Space::L0B, DType::BF16, 48, 16, Layout::ZN, "right"}});  // 1536
  });
  for (const Allocation& a : k.memory_map()) {
    CAPTURE(a.name, a.offset);
    CHECK(a.offset % arch.buffer(a.space).alignment == 0);
  }
  CHECK(budgets_of(k.memory_map(), arch).at(0).used == 2048 + 1536);
}

TEST_CASE("Lines in UB follow the alignment of UB") {
  ArchSpec arch = a2a3_arch_spec();
  for (const std::uint32_t alignment : {1U, 128U}) {
    arch.buffers[index_of(Space::UB)].alignment = alignment;
    const KernelBuilder k = allocating(
        arch, [&](PartBuilder& p) { CHECK(p.ub(DType::F32, 3, 9, "a").desc().pitch == std::max(alignment, 64U)); });
  }
}

TEST_CASE("A tile beyond all address bits is refused where it is made") {
  const ArchSpec arch = a2a3_arch_spec();
  CHECK_THROWS_WITH(allocating(arch, [](PartBuilder& p) { (void)p.ub(DType::I64, 65'535, 8192, "huge"); }),
                    Contains("tile huge needs 4294901760 bytes of ub"));
  CHECK_THROWS_WITH(allocating(arch, [](PartBuilder& p) { (void)p.ub(DType::I64, 65'535, 65'535, "vast"); }),
                    Contains("tile vast needs"));
}

}  // namespace npu::isa
