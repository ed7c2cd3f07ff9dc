// The mixture of functions seen and functions to come. Its weights were chosen by cross-validation
// within Forklift's w1 (docs/decisions/import-tree-planner.md), not by looking at w2.
// Closures come from the functions themselves: what is always declared together with a package is
// taken as what the package needs. That holds without asking an index, and is never too little.

#include "zygote/expected_workload.hpp"

#include <numeric>

namespace sock::zygote {
namespace {

constexpr double lacking_share = 0.4;
constexpr double added_share = 0.1;
constexpr double single_choice = 0.3;  // beside a weight of 1/2 for each function that lacks one
constexpr std::size_t popular_choices = 20;
constexpr std::size_t most_choices = 12;   // with more, only one is left out at a time
constexpr std::size_t most_varied = 2000;  // functions; the most called ones
constexpr std::size_t most_intersected = 600;
constexpr std::size_t most_added_candidates = 1000;

using Ranked = std::vector<std::pair<PackageSet, double>>;

Ranked most_called(const Calls& calls, std::size_t most) {
  Ranked ranked{calls.begin(), calls.end()};
  std::ranges::stable_sort(ranked,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  if (ranked.size() > most) ranked.erase(ranked.begin() + static_cast<long>(most), ranked.end());
  return ranked;
}

// Adds functions that share `calls` among themselves by their weights.
void mix_in(Calls& into, const Calls& weights, double calls) {
  const double total =
      std::accumulate(weights.begin(), weights.end(), 0.0,
                      [](double sum, const auto& entry) { return sum + entry.second; });
  if (total <= 0) return;
  for (const auto& [function, weight] : weights) into[function] += weight * calls / total;
}

class Author {
 public:
  Author(const Calls& seen, const PackageTable& table)
      : table_{table}, closures_(table.size(), table.none()) {
    std::vector<bool> known(table.size(), false);
    for (const auto& entry : seen)
      entry.first.for_each([&](std::size_t package) {
        if (known[package])
          closures_[package] &= entry.first;
        else
          closures_[package] = entry.first;
        known[package] = true;
      });
    for (const auto& [function, calls] : seen)
      for (const auto package : choices(function)) popularity_[closures_[package]] += calls;
  }

  // The packages that no other one brings along. Of two that bring each other, the first.
  [[nodiscard]] std::vector<std::size_t> choices(const PackageSet& function) const {
    const auto packages = function.members();
    std::vector<std::size_t> chosen;
    for (const auto package : packages) {
      const bool brought = std::ranges::any_of(packages, [&](std::size_t other) {
        return other != package && closures_[other].contains(package) &&
               (!closures_[package].contains(other) || other < package);
      });
      if (!brought) chosen.push_back(package);
    }
    return chosen;
  }

  // Every set without one choice, and without two, each kind with half the weight of the former.
  void lack(const PackageSet& function, double calls, Calls& into) const {
    const auto chosen = choices(function);
    const auto count = static_cast<double>(chosen.size());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      add(without(chosen, i, i), function, calls / count / 2, into);
      if (chosen.size() > most_choices) continue;
      for (std::size_t j = i + 1; j < chosen.size(); ++j)
        add(without(chosen, i, j), function, calls / (count * (count - 1) / 2) / 4, into);
    }
  }

  // What is left of a set when only measured packages, and what they need, are kept.
  [[nodiscard]] PackageSet worth_importing(const PackageSet& set) const {
    auto worth = table_.none();
    set.for_each([&](std::size_t package) {
      if (table_.cost(package).time > ImportTime{}) worth |= closures_[package];
    });
    return worth &= set;
  }

  [[nodiscard]] const Calls& popularity() const { return popularity_; }

 private:
  [[nodiscard]] PackageSet without(const std::vector<std::size_t>& chosen, std::size_t one,
                                   std::size_t other) const {
    auto rest = table_.none();
    for (std::size_t i = 0; i < chosen.size(); ++i)
      if (i != one && i != other) rest |= closures_[chosen[i]];
    return rest;
  }
  static void add(const PackageSet& lacking, const PackageSet& function, double weight,
                  Calls& into) {
    if (!lacking.empty() && lacking != function) into[lacking] += weight;
  }

  const PackageTable& table_;
  std::vector<PackageSet> closures_;  // of each package, with itself
  Calls popularity_;                  // of each chosen package's closure
};

Calls functions_lacking_a_choice(const Ranked& varied, const Author& author) {
  Calls lacking;
  for (const auto& [function, calls] : varied) author.lack(function, calls, lacking);
  for (const auto& [closure, calls] : author.popularity())
    lacking[closure] += calls * single_choice;
  return lacking;
}

Calls functions_with_another_choice(const Ranked& varied, const Author& author,
                                    const PackageTable& table) {
  const auto popular = most_called(author.popularity(), popular_choices);
  Calls added;
  for (const auto& [function, calls] : varied)
    for (const auto& [closure, popularity] : popular) {
      auto both = function | closure;
      if (both != function && table.is_consistent(both))
        added[std::move(both)] += calls * popularity;
    }
  return added;
}

}  // namespace

ExpectedWorkload expected_workload(const Calls& seen, const PackageTable& table) {
  const Author author{seen, table};
  const auto varied = most_called(seen, most_varied);
  const auto lacking = functions_lacking_a_choice(varied, author);
  const auto added = functions_with_another_choice(varied, author, table);

  ExpectedWorkload expected;
  double calls = 0;
  for (const auto& [function, count] : seen) {
    expected.functions[function] += count * (1 - lacking_share - added_share);
    calls += count;
  }
  mix_in(expected.functions, lacking, calls * lacking_share);
  mix_in(expected.functions, added, calls * added_share);

  const auto propose = [&](const PackageSet& set) {
    if (auto worth = author.worth_importing(set); !worth.empty())
      expected.candidates.insert(std::move(worth));
  };
  for (const auto& entry : seen) propose(entry.first);
  for (const auto& entry : lacking) propose(entry.first);
  const auto shared = most_called(seen, most_intersected);
  for (std::size_t i = 0; i < shared.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) propose(shared[i].first & shared[j].first);
  Calls worth_adding;
  for (const auto& [function, weight] : added)
    worth_adding[function] = weight * table.milliseconds(function);
  for (const auto& entry : most_called(worth_adding, most_added_candidates)) propose(entry.first);
  return expected;
}

}  // namespace sock::zygote
