#include "orchestration/validate/csv.hpp"

#include <utility>

namespace npu::orch {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_{text} {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row = parse_row();
      const bool is_empty = row.error.empty() && row.fields.size() == 1 && row.fields[0].empty();
      if (!is_empty) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  [[nodiscard]] bool at_line_end() const { return at_ == text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }

  void skip_line_end() {
    if (at_ == text_.size()) return;
    const bool is_pair = text_.substr(at_, 2) == "\r\n";
    at_ += is_pair ? 2 : 1;
    ++line_;
  }

  CsvRow parse_row() {
    CsvRow row;
    row.line = line_;
    for (;;) {
      row.error = at_ < text_.size() && text_[at_] == '"' ? quoted(row.fields.emplace_back())
                                                          : plain(row.fields.emplace_back());
      if (row.error.empty() && !at_line_end() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      while (!at_line_end()) ++at_;
      skip_line_end();
      return row;
    }
  }

  std::string plain(std::string& field) {
    while (!at_line_end() && text_[at_] != ',') {
      if (text_[at_] == '"') return "a quote inside a field that does not begin with one; quote the whole field";
      field += text_[at_++];
    }
    return {};
  }

  std::string quoted(std::string& field) {
    const std::size_t begin = at_, begin_line = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (text_.substr(at_, 2) != "\"\"") break;
        ++at_;
      } else if (text_[at_] == '\n' || (text_[at_] == '\r' && text_.substr(at_, 2) != "\r\n")) {
        ++line_;
      }
      field += text_[at_];
    }
    if (at_ == text_.size()) {  // the quote may be a slip: the rows behind this line are read
      at_ = begin + 1;
      line_ = begin_line;
      return "a quote that nothing closes";
    }
    ++at_;
    if (at_line_end() || text_[at_] == ',') return {};
    return "text behind the quote that closes a field; double quotes inside a field";
  }

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text) { return Parser{text}.rows(); }

}  // namespace npu::orch
