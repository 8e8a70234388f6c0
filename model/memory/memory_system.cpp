#include "model/memory/memory_system.hpp"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "isa/errors.hpp"
#include "model/device.hpp"
#include "model/interconnect/bandwidth_pool.hpp"
#include "model/memory/gm_store.hpp"
#include "model/memory/l2_cache.hpp"
#include "model/memory/unknown_bytes.hpp"

namespace npu::model {
namespace {

constexpr double kMib = 1024.0 * 1024, kKib = 1024;
constexpr double kNsPerUs = 1000;

std::uint64_t offset_of(std::uint64_t address) { return address & ((std::uint64_t{1} << kCardShift) - 1); }

/// A transfer between start() and its delivery.
struct Active {
  Transfer transfer;
  TransferClient* client = nullptr;
  std::uint32_t tag = 0;
  std::uint32_t flows = 0;   // that still run
  std::uint64_t number = 0;  // of the start, for transfers of the same core and tag
  std::uint64_t latency = 0;
};

/// A card's bandwidths.
struct Card {
  BandwidthPool hbm, l2_read, l2_write;
  L2Cache l2;
  MemoryTraffic traffic;
  UnknownBytes unknown{5};  // blocks of 32 bytes: the least that a mover writes into a row of its own

  Card(std::uint32_t index, const Params& p, const Environment& env, FlowListener& listener)
      : hbm{name(index, "hbm").c_str(), bytes_per_cycle(p, p.memory.hbm_read_gb_per_s), env.clock, env.faults,
            listener},
        l2_read{name(index, "l2_read").c_str(), bytes_per_cycle(p, p.memory.l2_read_gb_per_s), env.clock, env.faults,
                listener},
        l2_write{name(index, "l2_write").c_str(), bytes_per_cycle(p, p.memory.l2_write_gb_per_s), env.clock, env.faults,
                 listener},
        l2{static_cast<std::uint64_t>(p.memory.l2_mib * kMib),
           static_cast<std::uint64_t>(p.memory.l2_block_kib * kKib)} {}

  static std::string name(std::uint32_t card, std::string_view pool) { return fmt::format("card{}_{}", card, pool); }
};

}  // namespace

struct MemorySystem::Impl final : sc_core::sc_module, FlowListener {
  Impl(Environment environment, std::uint32_t card_count)
      : sc_module{sc_core::sc_module_name{"memory"}},
        env{environment},
        params{environment.machine.params},
        gm{card_count, params.memory.hbm_capacity().count()},
        link_latency{cycles_of_ns(params, params.link.latency_us * kNsPerUs)} {
    SC_HAS_PROCESS(Impl);
    for (std::uint32_t c = 0; c < card_count; ++c) {
      cards.push_back(std::make_unique<Card>(c, params, env, *this));
      trace(cards[c]->hbm, {traces::TrackKind::Memory, fmt::format("card{}.hbm", c), c});
      trace(cards[c]->l2_read, {traces::TrackKind::Memory, fmt::format("card{}.l2_read", c), c});
      trace(cards[c]->l2_write, {traces::TrackKind::Memory, fmt::format("card{}.l2_write", c), c});
    }
    for (std::uint32_t from = 0; from < card_count; ++from) {
      for (std::uint32_t to = 0; to < card_count; ++to) {
        if (from != to) add_link(from, to);
      }
    }
    SC_METHOD(admit_all);
    sensitive << admit;
    dont_initialize();
    SC_METHOD(deliver_all);
    sensitive << deliver;
    dont_initialize();
  }

  void add_link(std::uint32_t from, std::uint32_t to) {
    const std::string name = fmt::format("link{}to{}", from, to);
    links.push_back(std::make_unique<BandwidthPool>(name.c_str(), bytes_per_cycle(params, params.link.gb_per_s),
                                                    env.clock, env.faults, *this));
    link_traffic.push_back({.from = from, .to = to});
    trace(*links.back(), {traces::TrackKind::Link, name, from});
  }
  void trace(BandwidthPool& pool, const traces::TrackInfo& track) {
    constexpr double kSampleNs = 2000;
    if (env.sink == nullptr) return;
    pool.trace_to(*env.sink, track, params.clock.core_mhz, cycles_of_ns(params, kSampleNs));
  }
  std::size_t link_index(std::uint32_t from, std::uint32_t to) const {
    return from * (cards.size() - 1) + to - (to > from ? 1 : 0);
  }
  std::uint32_t home_of(std::uint64_t address) const {
    const std::uint32_t home = card_of(GmAddress{address});
    NPU_ASSERT(home < cards.size(), "a transfer outside all cards: resolve() comes first");
    return home;
  }

  // ---- life of a transfer: start -> admit_transfers (L2, flows) -> flow_finished -> deliver_completions

  void start(const Transfer& transfer, TransferClient& client, std::uint32_t tag) {
    NPU_ASSERT(transfer.lines > 0 && transfer.line_bytes > 0, "a transfer without bytes");
    if (free_slots.empty()) {
      free_slots.push_back(static_cast<std::uint32_t>(slots.size()));
      slots.emplace_back();
    }
    const std::uint32_t slot = free_slots.back();
    free_slots.pop_back();
    slots[slot] = {.transfer = transfer, .client = &client, .tag = tag, .number = ++starts};
    if (untimed) {
      complete(slot);
    } else {
      starting.push_back(slot);
      admit.notify(sc_core::SC_ZERO_TIME);
    }
  }

  void admit_all() {
    env.faults.guard([this] { admit_transfers(); });
  }
  void deliver_all() {
    env.faults.guard([this] { deliver_completions(); });
  }

  void admit_transfers() {
    sort_by_origin(starting);
    for (const std::uint32_t slot : starting) {
      Active& a = slots[slot];
      const std::uint32_t home = home_of(a.transfer.address);
      const L2Access l2 = look_up(home, offset_of(a.transfer.address), a.transfer.lines, a.transfer.line_bytes,
                                  a.transfer.pitch, a.transfer.write);
      if (home == a.transfer.card) {
        start_local(slot, *cards[home], l2);
      } else {
        start_remote(slot, home);
      }
    }
    starting.clear();
  }

  L2Access look_up(std::uint32_t home, std::uint64_t offset, std::uint64_t lines, std::uint64_t line_bytes,
                   std::int64_t pitch, bool write) {
    Card& card = *cards[home];
    const L2Access l2 = card.l2.access(offset, lines, line_bytes, pitch, write);
    card.traffic.hbm_write += l2.written_back;
    if (write) {
      card.traffic.l2_write += l2.hit + l2.miss;
    } else {
      card.traffic.l2_read += l2.hit + l2.miss;
      card.traffic.l2_hit += l2.hit;
      card.traffic.hbm_read += l2.miss;
    }
    return l2;
  }

  void start_local(std::uint32_t slot, Card& card, const L2Access& l2) {
    Active& a = slots[slot];
    const Transfer& t = a.transfer;
    const MemoryParams& m = params.memory;
    const bool contiguous = t.lines == 1 || t.pitch == static_cast<std::int64_t>(t.line_bytes);
    const double row_factor = contiguous ? 1.0 : 1 + m.hbm_row_overhead_bytes / t.line_bytes;
    double hbm = static_cast<double>(l2.written_back) * m.hbm_read_gb_per_s / m.hbm_write_gb_per_s;
    if (t.write) {
      a.latency = m.write_cycles;
      start_flow(slot, card.l2_write, static_cast<double>(l2.hit + l2.miss) * t.shared_factor);
    } else {
      a.latency = l2.miss > 0 ? m.read_miss_cycles : m.read_hit_cycles;
      start_flow(slot, card.l2_read, static_cast<double>(l2.hit) * t.shared_factor);
      hbm += static_cast<double>(l2.miss) * t.shared_factor * row_factor;
    }
    start_flow(slot, card.hbm, hbm);
  }

  void start_remote(std::uint32_t slot, std::uint32_t home) {
    Active& a = slots[slot];
    const Transfer& t = a.transfer;
    const std::size_t link = t.write ? link_index(t.card, home) : link_index(home, t.card);
    const std::uint64_t bytes = std::uint64_t{t.lines} * t.line_bytes;
    link_traffic[link].bytes += bytes;
    a.latency = link_latency;
    start_flow(slot, *links[link], static_cast<double>(bytes));
  }

  /// One part of a transfer, `share` bytes of this pool's time. The parts advance side by side: at the port's full rate
  /// all of them end together, after bytes / port cycles.
  void start_flow(std::uint32_t slot, BandwidthPool& pool, double share) {
    if (share == 0) return;
    Active& a = slots[slot];
    const double bytes = static_cast<double>(a.transfer.lines) * a.transfer.line_bytes;
    ++a.flows;
    pool.start(slot, share, a.transfer.port_bytes_per_cycle * (share / bytes));
  }

  void flow_finished(std::uint32_t slot) override {
    if (--slots[slot].flows == 0) complete(slot);
  }

  void complete(std::uint32_t slot) {
    completed.push_back(slot);
    deliver.notify(sc_core::SC_ZERO_TIME);
  }

  void deliver_completions() {
    delivering.swap(completed);  // a client may start its next transfer at once
    sort_by_origin(delivering);
    for (const std::uint32_t slot : delivering) {
      const Active a = slots[slot];
      free_slots.push_back(slot);
      a.client->transfer_passed(a.tag, a.latency);
    }
    delivering.clear();
  }

  /// The order in which processes of one instant happen to run must not show in results.
  void sort_by_origin(std::vector<std::uint32_t>& list) const {
    const auto origin = [&](std::uint32_t slot) {
      const Active& a = slots[slot];
      return std::tuple{a.transfer.card, a.transfer.core, a.tag, a.number};
    };
    std::stable_sort(list.begin(), list.end(), [&](std::uint32_t x, std::uint32_t y) { return origin(x) < origin(y); });
  }

  Environment env;
  const Params& params;
  GmStore gm;
  std::uint64_t link_latency;
  bool untimed = false;
  std::vector<std::unique_ptr<Card>> cards;
  std::vector<std::unique_ptr<BandwidthPool>> links;           // as link_traffic
  std::vector<LinkTraffic> link_traffic;                       // by (from, to)
  std::vector<std::pair<std::uint64_t, std::uint64_t>> given;  // address, bytes
  std::uint64_t starts = 0;
  std::vector<Active> slots;
  std::vector<std::uint32_t> free_slots, starting, completed, delivering;
  sc_core::sc_event admit, deliver;
};

MemorySystem::MemorySystem(Environment env, std::uint32_t cards) : impl_{std::make_unique<Impl>(env, cards)} {}
MemorySystem::~MemorySystem() = default;

std::uint64_t MemorySystem::allocate(std::uint32_t card, std::uint64_t bytes, const std::string& name) {
  return impl_->gm.allocate(card, bytes, name);
}
std::uint64_t MemorySystem::allocated() const { return impl_->gm.allocated(); }
std::byte* MemorySystem::resolve(std::uint64_t address, std::uint64_t bytes, std::string_view who) {
  return impl_->gm.resolve(address, bytes, who);
}
void MemorySystem::map(std::uint64_t address, std::span<const std::byte> bytes) { impl_->gm.map(address, bytes); }
void MemorySystem::protect(std::uint64_t address) { impl_->gm.protect(address); }
void MemorySystem::require_writable(std::uint64_t address, std::string_view who) const {
  impl_->gm.require_writable(address, who);
}
std::string_view MemorySystem::allocation_name(std::uint64_t address) const {
  return impl_->gm.allocation_name(address);
}

void MemorySystem::start(const Transfer& transfer, TransferClient& client, std::uint32_t tag) {
  impl_->start(transfer, client, tag);
}

std::uint64_t MemorySystem::scalar_latency(std::uint32_t card, std::uint64_t address, bool write) {
  if (impl_->untimed) return 0;
  const std::uint64_t line = impl_->env.machine.arch.cache_line;
  const std::uint32_t home = impl_->home_of(address);
  const std::uint64_t begin = offset_of(address) & ~(line - 1);
  const L2Access l2 = impl_->look_up(home, begin, 1, line, 0, write);
  if (home != card) {
    impl_->link_traffic[write ? impl_->link_index(card, home) : impl_->link_index(home, card)].bytes += line;
    return impl_->link_latency;
  }
  const MemoryParams& m = impl_->params.memory;
  if (write) return m.write_cycles;
  return l2.miss > 0 ? m.read_miss_cycles : m.read_hit_cycles;
}

void MemorySystem::mark_unknown(std::uint64_t address, std::uint64_t bytes) {
  const std::uint64_t begin = offset_of(address);
  impl_->cards[impl_->home_of(address)]->unknown.mark(begin, begin + bytes);
}

void MemorySystem::clear_unknown(std::uint64_t address, std::uint64_t bytes) {
  const std::uint64_t begin = offset_of(address);
  impl_->cards[impl_->home_of(address)]->unknown.clear(begin, begin + bytes);
}

bool MemorySystem::is_unknown(std::uint64_t address, std::uint64_t bytes) const {
  const std::uint64_t begin = offset_of(address);
  return impl_->cards[impl_->home_of(address)]->unknown.any(begin, begin + bytes);
}

void MemorySystem::give(std::uint64_t address, std::uint64_t bytes) { impl_->given.emplace_back(address, bytes); }

bool MemorySystem::is_given(std::uint64_t address, std::uint64_t bytes) const {
  return std::any_of(impl_->given.begin(), impl_->given.end(), [&](const auto& range) {
    return address < range.first + range.second && range.first < address + bytes;
  });
}

void MemorySystem::end_run() {
  for (const auto& link : impl_->links) link->end_run();
  for (const auto& card : impl_->cards) {
    for (BandwidthPool* pool : {&card->hbm, &card->l2_read, &card->l2_write}) pool->end_run();
  }
}

void MemorySystem::set_untimed(bool untimed) { impl_->untimed = untimed; }

MemoryTraffic MemorySystem::traffic(std::uint32_t card) const { return impl_->cards.at(card)->traffic; }

std::span<const LinkTraffic> MemorySystem::links() const {
  for (std::size_t i = 0; i < impl_->links.size(); ++i) impl_->link_traffic[i].busy = impl_->links[i]->busy_cycles();
  return impl_->link_traffic;
}

}  // namespace npu::model
