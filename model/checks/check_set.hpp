// The checks that a run is watched by.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/checks/findings.hpp"
#include "model/observer.hpp"

namespace npu::model {

/// Observers for the names of check_names(), and what they find. They change neither results nor times.
class CheckSet {
 public:
  explicit CheckSet(const std::vector<std::string>& names);

  [[nodiscard]] std::vector<Observer*> observers() const;
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_.all(); }

 private:
  Findings findings_;
  std::vector<std::unique_ptr<Observer>> checks_;
};

/// Names of all checks, in the order of help and reports.
[[nodiscard]] std::vector<std::string_view> check_names();

}  // namespace npu::model
