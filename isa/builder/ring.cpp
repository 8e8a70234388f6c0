#include "isa/builder/ring.hpp"

#include "isa/builder/part_builder.hpp"

namespace npu::isa {

Ring::Ring(PartBuilder& part, std::uint32_t slots, Pipe producer, Pipe consumer, std::vector<Tile> members)
    : part_{&part}, slots_{slots}, producer_{producer}, consumer_{consumer}, members_{std::move(members)} {
  full_ = part.take_flags(producer, consumer, slots);
  free_ = part.take_flags(consumer, producer, slots);
  for (std::uint32_t s = 0; s < slots; ++s) part.set_flag(consumer, producer, free_ + s);
  if (slots == 1) return;
  slot_.emplace(part.imm(0));
  offset_.emplace(part.imm(0));
  for (Tile& t : members_) t = t.at(*offset_);
}

void Ring::flag(Opcode op, Pipe from, Pipe to, std::uint32_t base) {
  part_->emit({.opcode = op,
               .t0 = static_cast<std::uint16_t>(from),
               .t1 = static_cast<std::uint16_t>(to),
               .r0 = slot_ ? slot_->index() : std::uint8_t{0},
               .imm = static_cast<std::int32_t>(base)},
              Loc::current());
}

void Ring::produce() { flag(Opcode::WaitFlag, consumer_, producer_, free_); }
void Ring::push() { flag(Opcode::SetFlag, producer_, consumer_, full_); }
void Ring::consume() { flag(Opcode::WaitFlag, producer_, consumer_, full_); }

void Ring::pop() {
  flag(Opcode::SetFlag, consumer_, producer_, free_);
  if (slots_ == 1) return;
  const auto step = [&](Opcode op, const Reg& reg, std::int64_t imm) {
    part_->emit({.opcode = op, .r0 = reg.index(), .r1 = reg.index(), .imm = static_cast<std::int32_t>(imm)},
                Loc::current());
  };
  if (slots_ == 2) {  // slot = 1 - slot
    step(Opcode::Muli, *slot_, -1);
    step(Opcode::Addi, *slot_, 1);
  } else {
    step(Opcode::Addi, *slot_, 1);
    const Reg count = part_->imm(slots_);
    part_->emit({.opcode = Opcode::Rem, .r0 = slot_->index(), .r1 = slot_->index(), .r2 = count.index()},
                Loc::current());
  }
  part_->emit(
      {.opcode = Opcode::Muli, .r0 = offset_->index(), .r1 = slot_->index(), .imm = static_cast<std::int32_t>(stride_)},
      Loc::current());
}

void Ring::drain() {
  for (std::uint32_t s = 0; s < slots_; ++s) part_->wait_flag(consumer_, producer_, free_ + s);
  slot_.reset();
  offset_.reset();
}

}  // namespace npu::isa
