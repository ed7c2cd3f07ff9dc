// Greedy choice with lazy evaluation: a gain only ever shrinks, so a candidate whose gain is still
// the greatest after being computed anew is the best one (Minoux 1978).

#include "zygote/coverage.hpp"

#include <algorithm>
#include <queue>

namespace sock::zygote {
namespace {

struct Function {
  double calls;
  double saved = 0;  ///< Milliseconds that its best chosen set saves.
};

struct Candidate {
  const PackageSet* set;
  double milliseconds;
  double bytes;
  std::vector<std::uint32_t> functions = {};  ///< That declare all of it.
};

// What the chosen sets hold: each its own part, and its parent is the chosen subset that holds
// most.
class Memory {
 public:
  // May be negative: a set that others can share makes them smaller.
  [[nodiscard]] double growth(const Candidate& candidate) const {
    double shared = 0;
    double relieved = 0;
    for (const auto& chosen : chosen_) {
      if (chosen.set->is_subset_of(*candidate.set))
        shared = std::max(shared, chosen.bytes);
      else if (candidate.set->is_subset_of(*chosen.set))
        relieved += std::max(candidate.bytes - chosen.shared, 0.0);
    }
    return static_cast<double>(zygote_base_memory) + candidate.bytes - shared - relieved;
  }
  void add(const Candidate& candidate) {
    total_ += growth(candidate);
    Chosen added{.set = candidate.set, .bytes = candidate.bytes};
    for (auto& chosen : chosen_) {
      if (chosen.set->is_subset_of(*candidate.set))
        added.shared = std::max(added.shared, chosen.bytes);
      else if (candidate.set->is_subset_of(*chosen.set))
        chosen.shared = std::max(chosen.shared, candidate.bytes);
    }
    chosen_.push_back(added);
  }
  [[nodiscard]] double total() const { return total_; }

 private:
  struct Chosen {
    const PackageSet* set;
    double bytes;
    double shared = 0;  ///< With its parent.
  };
  std::vector<Chosen> chosen_;
  double total_ = 0;
};

enum class Measure : std::uint8_t { gain, gain_per_byte };

class Choice {
 public:
  Choice(const ExpectedWorkload& expected, const PackageTable& table) {
    for (const auto& set : expected.candidates)
      candidates_.push_back(
          {.set = &set, .milliseconds = table.milliseconds(set), .bytes = table.bytes(set)});
    for (const auto& [packages, calls] : expected.functions) {
      for (auto& candidate : candidates_)
        if (candidate.set->is_subset_of(packages))
          candidate.functions.push_back(static_cast<std::uint32_t>(functions_.size()));
      functions_.push_back({.calls = calls});
    }
  }

  void run(const CoverageLimits& limits, Measure measure) {
    std::priority_queue<Entry> queue;
    for (const auto& candidate : candidates_) queue.push({score(candidate, measure), &candidate});
    while (!queue.empty() && sets_.size() < limits.sets) {
      const auto* candidate = queue.top().candidate;
      queue.pop();
      const double now = score(*candidate, measure);
      if (now <= 0) continue;
      if (!queue.empty() && now < queue.top().score) {
        queue.push({now, candidate});
        continue;
      }
      if (limits.bytes.has_value() && memory_.total() + memory_.growth(*candidate) > *limits.bytes)
        continue;
      take(*candidate);
    }
  }

  [[nodiscard]] double saved() const {
    double total = 0;
    for (const auto& function : functions_) total += function.calls * function.saved;
    return total;
  }
  [[nodiscard]] const std::vector<PackageSet>& sets() const { return sets_; }

 private:
  // Equal scores: the candidate that comes first, so that the result is the same everywhere.
  struct Entry {
    double score;
    const Candidate* candidate;
    bool operator<(const Entry& other) const {
      return score != other.score ? score < other.score : candidate > other.candidate;
    }
  };

  [[nodiscard]] double score(const Candidate& candidate, Measure measure) const {
    double gain = 0;
    for (const auto number : candidate.functions) {
      const auto& function = functions_[number];
      gain += function.calls * std::max(candidate.milliseconds - function.saved, 0.0);
    }
    if (measure == Measure::gain) return gain;
    return gain / std::max(memory_.growth(candidate), 1.0);
  }
  void take(const Candidate& candidate) {
    for (const auto number : candidate.functions) {
      auto& saved = functions_[number].saved;
      saved = std::max(saved, candidate.milliseconds);
    }
    memory_.add(candidate);
    sets_.push_back(*candidate.set);
  }

  std::vector<Candidate> candidates_;
  std::vector<Function> functions_;
  std::vector<PackageSet> sets_;
  Memory memory_;
};

}  // namespace

std::vector<PackageSet> choose_sets(const ExpectedWorkload& expected, const PackageTable& table,
                                    const CoverageLimits& limits) {
  Choice by_gain{expected, table};
  // Under a budget neither measure alone is bounded away from nothing; the better of both is.
  if (!limits.bytes.has_value()) {
    by_gain.run(limits, Measure::gain);
    return by_gain.sets();
  }
  Choice by_density{by_gain};
  by_gain.run(limits, Measure::gain);
  by_density.run(limits, Measure::gain_per_byte);
  return by_density.saved() > by_gain.saved() ? by_density.sets() : by_gain.sets();
}

}  // namespace sock::zygote
