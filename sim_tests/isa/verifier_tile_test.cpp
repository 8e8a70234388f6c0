#include "sim_tests/isa/verifier_bench.hpp"

#include "isa/errors.hpp"
#include "isa/tile_rules.hpp"

namespace npu::isa {

TEST_CASE("Tiles at the limits of their spaces are legal") {
  CHECK(all_findings(assembled(".vector", {".tile a ub f32 nd 46x1024\n"
                                           ".tile b ub f32 dn 8x1 offset=32 pitch=32 valid=0x1\n",
                                           ""})) == "");
  CHECK(all_findings(assembled(".cube", {".tile w l1 bf16 nz 256x1024\n.tile l l0a bf16 zz 16x2048\n"
                                         ".tile r l0b i8 znt 2048x32 pitch=2048\n.tile c l0c f32 nz 128x256\n"
                                         ".tile b bt f32 nd 1x256\n.tile p l1 bf16 nd 3x5 pitch=10 offset=64\n",
                                         ""})) == "");
}

TEST_CASE("Vector tiles that break a rule are refused with what, limit and way out") {
  check_each(".vector", "",
             {{".tile a l1 f32 nd 8x8", "", "tile in l1; limit: l1 belongs to aic cores; way out: pass the data"},
              {".tile a ub f32 nd 0x8", "", "tile is [0, 8]; limit: at least one row and column"},
              {".tile a ub f32 nd 8x0", "", "tile is [8, 0]"},
              {".tile a ub f32 nd 8x8 valid=9x8", "", "valid region is [9, 8]; limit: the tile is [8, 8]"},
              {".tile a ub f32 nd 8x8 valid=8x9", "", "valid region is [8, 9]"},
              {".tile a ub f32 nz 8x8", "", "layout nz in ub; limit: nd or dn"},
              {".tile a ub f32 nd 8x16 pitch=32", "", "pitch 32 is shorter than a line; limit: a line is 64 bytes"},
              {".tile a ub f32 dn 16x8 pitch=32", "", "pitch 32 is shorter than a line; limit: a line is 64 bytes"},
              {".tile a ub f32 nd 8x8 pitch=40", "", "pitch 40 in ub; limit: multiples of 32 bytes"},
              {".tile a ub f32 nd 8x8 offset=16", "", "base offset 16 in ub; limit: multiples of 32 bytes"},
              {".tile a ub f32 nd 46x1024 offset=32", "",
               "188416 bytes at offset 32 leave ub; limit: 188416 allocatable bytes on a2a3 (core.ub_kib); way out: "
               "use smaller tiles"},
              {".tile a ub f32 nd 1x8 offset=4294967264", "", "leave ub"},
              {".tile a ub f32 nd 65535x8 pitch=4294967264", "", "leave ub"}});
}

TEST_CASE("Matrix tiles that break a rule are refused") {
  check_each(".cube", "",
             {{".tile a ub f32 nd 8x8", "", "ub belongs to aiv cores"},
              {".tile a l1 f32 dn 8x8", "", "layout dn in l1; limit: nz or nd"},
              {".tile a l0a f32 nz 16x16", "", "layout nz in l0a; limit: zz"},
              {".tile a l0b f32 zz 16x16", "", "layout zz in l0b; limit: zn or znt"},
              {".tile a l0c f32 zz 16x16", "", "layout zz in l0c; limit: nz"},
              {".tile a bt f32 nz 1x16", "", "layout nz in bt; limit: nd"},
              {".tile a l0a i32 zz 16x16", "", "i32 tile in l0a; limit: i8, f16, bf16 or f32"},
              {".tile a l0c bf16 nz 16x16", "", "bf16 tile in l0c; limit: i32 or f32"},
              {".tile a bt f16 nd 1x16", "", "f16 tile in bt"},
              {".tile a l0a bf16 zz 8x16", "", "l0a tile is [8, 16]; limit: rows in multiples of 16, columns of 16"},
              {".tile a l0a i8 zz 16x16", "", "l0a tile is [16, 16]; limit: rows in multiples of 16, columns of 32"},
              {".tile a l0b i8 zn 16x16", "", "l0b tile is [16, 16]; limit: rows in multiples of 32, columns of 16"},
              {".tile a l0c f32 nz 16x8", "", "l0c tile is [16, 8]; limit: rows in multiples of 16, columns of 16"},
              {".tile a l0a f32 zz 16x16 offset=256", "", "base offset 256 in l0a; limit: multiples of 512 bytes"},
              {".tile a l0b f32 zn 16x16 offset=32", "", "base offset 32 in l0b"},
              {".tile a l0c f32 nz 16x16 offset=32", "", "base offset 32 in l0c; limit: multiples of 64 bytes"},
              {".tile a bt f32 nd 1x272", "", "1088 bytes at offset 0 leave bt; limit: 1024"},
              {".tile a l1 f32 nz 16x8192 offset=32", "", "leave l1; limit: 524288"}});
}

TEST_CASE("Views of global memory have a base and a layout that memory can have") {
  check_each(".vector", "",
             {{".gm g f32 nd", "", "gm view 0: view without a base register"},
              {".gm g f32 nz base=r1", "", "view of layout nz; limit: nd or dn"}});
}

TEST_CASE("Placement is checked with the register's value too, as far as an access reaches") {
  TileDesc tile;
  tile.rows = 4;
  tile.cols = 8;
  tile.pitch = 32;
  const ArchSpec arch = a2a3_arch_spec();
  CHECK_FALSE(check_placement(tile, 188416 - 32, 1, 8, arch));
  CHECK(check_placement(tile, 188416 - 32, 2, 1, arch).value().stage == Stage::Target);
  CHECK_FALSE(check_placement(tile, 188416 - 32, 0, 8, arch));
  CHECK(check_placement(tile, 188416, 1, 1, arch).value().stage == Stage::Target);
  CHECK(check_placement(tile, -32, 1, 8, arch).value().stage == Stage::Target);
  CHECK(check_placement(tile, 33, 1, 8, arch).value().stage == Stage::Layout);
}

TEST_CASE("An illegal kernel is refused with program, core, subject and every finding") {
  const KernelObject object = assembled(".vector", {".tile a ub f32 nd 8x8 offset=16\n", "  li r0, 1"});
  using Catch::Matchers::Contains;
  CHECK_THROWS_AS(require_legal(object, a2a3_arch_spec()), ProgramError);
  CHECK_THROWS_WITH(require_legal(object, a2a3_arch_spec()),
                    Contains("kernel k is not legal on a2a3") &&
                        Contains("program k (aiv), tile 0 `a`: base offset 16") &&
                        Contains("program k (aiv), instruction 0 (k.npu:6) `li r0, 1`: writes r0"));
}

}  // namespace npu::isa
