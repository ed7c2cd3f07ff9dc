// Profiles by name become rules by number. Names in the tables are known to exist somewhere; a unit
// test checks that.

#include "isolation/seccomp/rule_set.hpp"

#include "isolation/seccomp/numbers.hpp"

namespace sock::seccomp {

RuleSet RuleSet::handler() {
  RuleSet set;
  set.apply(allowed_groups());
  set.apply(refused_groups());
  set.apply(handler_argument_rules());
  return set;
}

RuleSet RuleSet::strict() {
  RuleSet set = handler();
  set.apply(strict_groups());
  set.apply(strict_argument_rules());
  return set;
}

RuleSet RuleSet::zygote() {
  RuleSet set = handler();
  set.apply(zygote_groups());
  set.apply(zygote_argument_rules());
  return set;
}

RuleSet::Naming RuleSet::set(std::string_view name, Rule rule) {
  const Number number = find_number(name);
  if (number.known == Number::Known::nowhere) return Naming::unknown_name;
  if (number.known == Number::Known::here) rules_.insert_or_assign(number.value, rule);
  return Naming::done;
}

void RuleSet::allow(std::span<const std::string_view> names) {
  for (const std::string_view name : names) set(name, {.otherwise = allowed});
}

void RuleSet::apply(std::span<const Group> groups) {
  for (const Group& group : groups)
    for (const std::string_view name : group.names) set(name, {.otherwise = group.verdict});
}

void RuleSet::apply(std::span<const ArgumentRule> argument_rules) {
  for (const ArgumentRule& argument_rule : argument_rules)
    set(argument_rule.name, argument_rule.rule);
}

}  // namespace sock::seccomp
