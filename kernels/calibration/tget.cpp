#include "kernels/calibration/tget.hpp"

#include "isa/errors.hpp"
#include "kernels/moe/exchange_links.hpp"

namespace npu::kernels {

using namespace isa;

//   MTE2   tile 0        | tile 1        | ...     neighbour's memory -> UB
//   MTE3          tile 0 |        tile 1 | ...     UB -> memory
Kernel tget(const TgetPlan& plan, const ArchSpec& arch, std::uint32_t cards) {
  if (plan.engine == TgetPlan::Engine::Sdma) {
    throw config_error("tget: not modelled: --engine sdma (there is no copy engine between the cards); say mte");
  }
  if (cards < 2) throw config_error("tget: reads from another card; run it on --ep 2 or more");
  KernelBuilder k{"tget", arch};
  const auto remote = k.input("remote", DType::U8, plan.bytes);
  const auto local = k.output("local", DType::U8, plan.bytes);
  k.vector([&](PartBuilder& p) {
    const GmTensor remote_gm = p.tensor(remote), local_gm = p.tensor(local);
    const ExchangeLinks links{p, cards};
    const Reg peer = (links.rank() + 1) % cards;
    const Reg distance = links.distance(peer);
    const Tile tile = p.ub(DType::U8, 1, plan.tile_bytes, "tile");
    p.for_range(0, plan.bytes, plan.tile_bytes, [&](const Reg& at) {
      const Reg n = min(p.imm(plan.bytes) - at, plan.tile_bytes);
      p.sync(Pipe::MTE3, Pipe::MTE2);
      p.tload(tile.valid(1, n), ExchangeLinks::at(remote_gm, 0, at, distance));
      p.sync(Pipe::MTE2, Pipe::MTE3);
      p.tstore(local_gm.at(0, at), tile.valid(1, n));
    });
  });
  return pack(k, 1);
}

}  // namespace npu::kernels
