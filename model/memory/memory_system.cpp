#include "model/memory/memory_system.hpp"

#include <algorithm>
#include <deque>
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

/// A transfer between start() and its delivery, or a write-back, which has no client.
struct Active {
  Transfer transfer;
  TransferClient* client = nullptr;
  std::uint32_t tag = 0;
  std::uint32_t pending = 0;  // flows that still run, and fills of others that it waits for
  std::uint64_t number = 0;   // of the start, for transfers of the same core and tag; 0: none
  std::uint64_t latency = 0;
  double cycles = 0;                   // that it takes at least
  std::vector<std::uint32_t> waiting;  // slots of the transfers that wait for what this one brings in
};

/// A card's bandwidths.
struct Card {
  BandwidthPool hbm, l2_read, l2_write;
  L2Cache l2;
  /// The loads of a core: those under way, and where the one that moves data begins.
  struct Loads {
    RequestWindow window;
    std::uint64_t request = kNowhere;
  };
  static constexpr std::uint64_t kNowhere = ~std::uint64_t{0};
  std::vector<Loads> loads;  // by core
  MemoryTraffic traffic;
  UnknownBytes unknown{5};  // blocks of 32 bytes: the least that a mover writes into a row of its own

  Card(std::uint32_t index, const Params& p, const Environment& env, FlowListener& listener)
      : hbm{name(index, "hbm").c_str(), bytes_per_cycle(p, p.memory.hbm_read_gb_per_s), env.clock, env.faults,
            listener},
        l2_read{name(index, "l2_read").c_str(), bytes_per_cycle(p, p.memory.l2_read_gb_per_s), env.clock, env.faults,
                listener},
        l2_write{name(index, "l2_write").c_str(), bytes_per_cycle(p, p.memory.l2_write_gb_per_s), env.clock, env.faults,
                 listener},
        l2{static_cast<std::uint64_t>(p.memory.l2_mib * kMib), static_cast<std::uint64_t>(p.memory.l2_block_kib * kKib),
           p.core.mte2_request_bytes, static_cast<std::uint64_t>(p.memory.l2_dirty_mib * kMib)} {}

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
    const std::uint32_t slot = take_slot();
    Active& a = slots[slot];
    a.transfer = transfer;
    a.client = &client;
    a.tag = tag;
    if (untimed) {
      complete(slot);
    } else {
      starting.push_back(slot);
      admit.notify(sc_core::SC_ZERO_TIME);
    }
  }

  std::uint32_t take_slot() {
    if (free_slots.empty()) {
      free_slots.push_back(static_cast<std::uint32_t>(slots.size()));
      slots.emplace_back();
    }
    const std::uint32_t slot = free_slots.back();
    free_slots.pop_back();
    slots[slot].number = ++starts;
    slots[slot].pending = 0;
    slots[slot].waiting.clear();
    return slot;
  }
  void free_slot(std::uint32_t slot) {
    slots[slot].number = 0;
    free_slots.push_back(slot);
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
      if (slots[slot].transfer.cost.requests > 0) begin_load(slots[slot].transfer);
    }
    for (const std::uint32_t slot : starting) {
      const Transfer& t = slots[slot].transfer;
      const std::uint32_t home = home_of(t.address);
      fills.clear();
      const L2Access l2 =
          look_up(home, offset_of(t.address), t.lines, t.line_bytes, t.pitch, t.write, {slot, slots[slot].number});
      if (home == t.card) {
        start_local(slot, *cards[home], l2);
      } else {
        start_remote(slot, home);
      }
    }
    starting.clear();
  }

  L2Access look_up(std::uint32_t home, std::uint64_t offset, std::uint64_t lines, std::uint64_t line_bytes,
                   std::int64_t pitch, bool write, Fill fill) {
    Card& card = *cards[home];
    const L2Access l2 = card.l2.access(offset, lines, line_bytes, pitch, write, fill, fills);
    if (l2.written_back > 0 && !untimed) write_back(card, l2.written_back);
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
    a.cycles = t.cost.port;
    if (t.write) {
      a.latency = m.write_cycles;
      start_flow(slot, card.l2_write, static_cast<double>(l2.hit + l2.miss));
      return;
    }
    const bool waits = wait_for_fills(slot);
    const double answer = answer_cycles(m, t.cost, l2.miss == 0 && !waits, others_at(card, t));
    a.latency = static_cast<std::uint64_t>(answer);
    if (t.cost.requests > 0) {
      a.cycles = card.loads[t.core].window.pass(env.clock.now(), t.cost, answer, params.core.mte2_requests);
    }
    // What comes from HBM passes the read side of L2 and holds it as long as HBM takes.
    const double hold = std::max(1.0, m.l2_read_gb_per_s / m.hbm_read_gb_per_s);
    start_flow(slot, card.l2_read, static_cast<double>(l2.hit) + static_cast<double>(l2.miss) * hold);
    start_flow(slot, card.hbm, static_cast<double>(l2.miss) * t.cost.bus_factor);
  }

  std::uint64_t first_request(const Transfer& t) const { return t.address / params.core.mte2_request_bytes; }

  void begin_load(const Transfer& t) {
    auto& loads = cards[t.card]->loads;
    if (t.core >= loads.size()) loads.resize(t.core + std::size_t{1});
    loads[t.core].request = first_request(t);
  }

  /// Other cores of the card that load rows which begin in the same request.
  std::uint32_t others_at(const Card& card, const Transfer& t) const {
    if (t.cost.requests == 0) return 0;
    const std::uint64_t request = first_request(t);
    const auto same =
        std::count_if(card.loads.begin(), card.loads.end(), [&](const Card::Loads& l) { return l.request == request; });
    return static_cast<std::uint32_t>(same) - 1;
  }

  /// The transfer ends no earlier than those that are bringing in what it has found. Says whether there are such.
  bool wait_for_fills(std::uint32_t slot) {
    const std::uint32_t flows = slots[slot].pending;
    for (const Fill& fill : fills) {
      Active& filler = slots[fill.slot];
      const bool known = !filler.waiting.empty() && filler.waiting.back() == slot;
      const bool under_way = filler.number == fill.number && filler.pending > 0;  // else its bytes are there
      if (!under_way || fill.slot == slot || known) continue;
      filler.waiting.push_back(slot);
      ++slots[slot].pending;
    }
    return slots[slot].pending > flows;
  }

  /// Takes its time on the bus; nobody waits for it.
  void write_back(Card& card, std::uint64_t bytes) {
    card.traffic.hbm_write += bytes;
    const std::uint32_t slot = take_slot();
    Active& a = slots[slot];
    a.client = nullptr;
    a.pending = 1;
    const MemoryParams& m = params.memory;
    card.hbm.start(slot, static_cast<double>(bytes) * m.hbm_read_gb_per_s / m.hbm_write_gb_per_s,
                   bytes_per_cycle(params, m.hbm_read_gb_per_s));
  }

  void start_remote(std::uint32_t slot, std::uint32_t home) {
    Active& a = slots[slot];
    const Transfer& t = a.transfer;
    const std::size_t link = t.write ? link_index(t.card, home) : link_index(home, t.card);
    const std::uint64_t bytes = std::uint64_t{t.lines} * t.line_bytes;
    link_traffic[link].bytes += bytes;
    a.latency = link_latency;
    a.cycles = t.cost.port;
    start_flow(slot, *links[link], static_cast<double>(bytes));
  }

  /// One part of a transfer, `share` bytes of this pool's time. The parts advance side by side: where no pool is short,
  /// all of them end together.
  void start_flow(std::uint32_t slot, BandwidthPool& pool, double share) {
    if (share == 0) return;
    Active& a = slots[slot];
    ++a.pending;
    pool.start(slot, share, share / a.cycles);
  }

  void flow_finished(std::uint32_t slot) override { one_less(slot); }

  void one_less(std::uint32_t slot) {
    if (--slots[slot].pending == 0) complete(slot);
  }

  void complete(std::uint32_t slot) {
    if (slots[slot].client == nullptr) {
      free_slot(slot);
      return;
    }
    completed.push_back(slot);
    for (const std::uint32_t other : slots[slot].waiting) one_less(other);
    slots[slot].waiting.clear();
    deliver.notify(sc_core::SC_ZERO_TIME);
  }

  void deliver_completions() {
    delivering.swap(completed);  // a client may start its next transfer at once
    sort_by_origin(delivering);
    for (const std::uint32_t slot : delivering) {
      const Active& a = slots[slot];
      TransferClient& client = *a.client;
      const std::uint32_t tag = a.tag;
      const std::uint64_t latency = a.latency;
      if (a.transfer.cost.requests > 0 && !untimed)
        cards[a.transfer.card]->loads[a.transfer.core].request = Card::kNowhere;
      free_slot(slot);
      client.transfer_passed(tag, latency);
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
  std::deque<Active> slots;  // a write-back may take one while another is in use
  std::vector<Fill> fills;   // that the transfer which enters L2 has to wait for
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
  const L2Access l2 = impl_->look_up(home, begin, 1, line, 0, write, Fill{});
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
