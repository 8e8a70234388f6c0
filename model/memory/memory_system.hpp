// Global memory of all cards: bytes, L2 residency, and the bandwidth that movers share (machine.md section 1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "isa/units.hpp"
#include "model/environment.hpp"
#include "model/timing/transfer_laws.hpp"

namespace npu::model {

/// One mover instruction's traffic: `lines` pieces of `line_bytes`, `pitch` bytes apart.
struct Transfer {
  std::uint32_t card = 0;  ///< of the core that moves
  std::uint32_t core = 0;  ///< index on the card; orders simultaneous flows
  bool write = false;
  std::uint64_t address = 0;
  std::uint32_t lines = 1;
  std::uint32_t line_bytes = 0;
  std::int64_t pitch = 0;
  TransferCost cost = {};  ///< what the mover takes alone (transfer_laws.hpp)

  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{lines} * line_bytes; }
  [[nodiscard]] Rows rows() const { return {address, lines, line_bytes, pitch}; }
  /// Bytes from the first to the last one, for 1 to 65535 lines (a tile's extent) and a pitch that is not negative.
  /// Where the lines lie too far apart for any memory, more bytes than any memory has.
  [[nodiscard]] std::uint64_t extent() const {
    constexpr std::int64_t kCardBytes = std::int64_t{1} << 40;  // address range of a card
    return std::uint64_t{lines - 1} * static_cast<std::uint64_t>(std::min(pitch, kCardBytes)) + line_bytes;
  }
};

/// Told when the last byte has passed the mover's port. The data is there `latency` cycles later; meanwhile the mover
/// may start its next transfer.
class TransferClient {
 public:
  virtual ~TransferClient() = default;
  virtual void transfer_passed(std::uint32_t tag, std::uint64_t latency) = 0;
};

/// Bytes of a card's memory, whoever asked for them.
struct MemoryTraffic {
  std::uint64_t hbm_read = 0, hbm_write = 0;  ///< fills of L2, write-backs of dirty sectors
  std::uint64_t l2_read = 0, l2_write = 0;    ///< all bytes read, all bytes written
  std::uint64_t l2_hit = 0;                   ///< the part of l2_read found in L2
};
struct LinkTraffic {
  std::uint32_t from = 0, to = 0;
  std::uint64_t bytes = 0;
  std::uint64_t busy = 0;  ///< cycles with at least one flow
};

/// Laws: every flow belongs to shared resources (HBM, L2 read, L2 write of a card; one link direction) that divide
/// their bandwidth max-min fairly. A local read splits into L2-hit bytes (L2 read) and L2-miss bytes (HBM, and L2 read
/// for as long as HBM takes) by sector, with LRU blocks; a write lands in L2. What L2 writes back is a flow of its own
/// on HBM, for which nobody waits. A transfer's parts advance side by side, each capped by its part of the port, so
/// alone it takes the time of its port or of its core's window of requests. A read that finds bytes which another
/// transfer is still bringing in ends no earlier than that one. A remote access takes only the link of its direction;
/// it finds or leaves its bytes in the home card's L2. Simultaneous transfers enter L2, and simultaneous completions
/// are delivered, in order of (card, core, tag).
class MemorySystem {
 public:
  MemorySystem(Environment env, std::uint32_t cards);
  ~MemorySystem();

  /// Zeroed, 512-byte aligned. Throws ConfigError when the card's HBM is full.
  std::uint64_t allocate(std::uint32_t card, std::uint64_t bytes, const std::string& name);
  [[nodiscard]] std::uint64_t allocated() const;  ///< bytes, on all cards
  /// Host pointer of [address, address + bytes). Throws ProgramError naming the nearest allocation when it is not
  /// wholly inside one allocation; `who` opens the message.
  [[nodiscard]] std::byte* resolve(std::uint64_t address, std::uint64_t bytes, std::string_view who);
  /// The allocation at `address` reads the host's bytes, which outlive the runs, instead of memory of its own.
  void map(std::uint64_t address, std::span<const std::byte> bytes);
  /// Nothing may write the allocation at `address`.
  void protect(std::uint64_t address);
  /// Throws ProgramError opened by `who` where the allocation that holds the address may not be written.
  void require_writable(std::uint64_t address, std::string_view who) const;
  /// Name of the allocation that holds the address, "?" if none.
  [[nodiscard]] std::string_view allocation_name(std::uint64_t address) const;

  /// Starts a flow at the current simulated time; the client hears of its end. Never called with zero bytes.
  void start(const Transfer& transfer, TransferClient& client, std::uint32_t tag);
  /// Cycles of a scalar access (cache-line fill, write-back, remote store of a notify), L2 state updated; such accesses
  /// take no shared bandwidth.
  [[nodiscard]] std::uint64_t scalar_latency(std::uint32_t card, std::uint64_t address, bool write);
  /// Untimed: every transfer completes at once (in the next delta cycle) and leaves no trace in L2 and statistics.
  void set_untimed(bool untimed);

  /// Closes what the traces of links and memories hold open.
  void end_run();

  // Timing mode: which bytes nobody computed.
  void mark_unknown(std::uint64_t address, std::uint64_t bytes);
  void clear_unknown(std::uint64_t address, std::uint64_t bytes);
  [[nodiscard]] bool is_unknown(std::uint64_t address, std::uint64_t bytes) const;
  /// The host has filled these bytes with what the cards would compute: they stay as they are, and known.
  void give(std::uint64_t address, std::uint64_t bytes);
  [[nodiscard]] bool is_given(std::uint64_t address, std::uint64_t bytes) const;

  [[nodiscard]] MemoryTraffic traffic(std::uint32_t card) const;
  [[nodiscard]] std::span<const LinkTraffic> links() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu::model
