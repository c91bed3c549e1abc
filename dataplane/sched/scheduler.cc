// The one table of schedulers: kind, name in configuration, and who makes it. A new scheduler is a file that defines
// make_NAME(), its test, its SchedulerKind, and one line here.
#include "dataplane/sched/scheduler.h"

#include <algorithm>
#include <cassert>

// clang-format off
#define SLUICE_SCHEDULERS(X) \
  X(rr) \
  X(wrr) \
  X(lc) \
  X(wlc) \
  X(sh) \
  X(dh) \
  X(lblc)
// clang-format on

namespace sluice::dataplane {

// Each is defined in the file of its name, which nobody else needs to see: hence no header for seven declarations.
#define SLUICE_DECLARE(name) std::unique_ptr<Scheduler> make_##name(const Service& service);
SLUICE_SCHEDULERS(SLUICE_DECLARE)
#undef SLUICE_DECLARE

namespace {

struct Row {
  SchedulerKind kind;
  std::string_view name;
  std::unique_ptr<Scheduler> (*make)(const Service&);
};

#define SLUICE_ROW(name) Row{SchedulerKind::name, #name, make_##name},
constexpr Row rows[] = {SLUICE_SCHEDULERS(SLUICE_ROW)};
#undef SLUICE_ROW

const Row& row_of(SchedulerKind kind) {
  const auto row = std::ranges::find(rows, kind, &Row::kind);
  assert(row != std::end(rows) && "every SchedulerKind has a row");
  return *row;
}

}  // namespace

std::unique_ptr<Scheduler> make_scheduler(const Service& service) { return row_of(service.scheduler).make(service); }

std::string_view to_string(SchedulerKind kind) { return row_of(kind).name; }

std::optional<SchedulerKind> scheduler_from_name(std::string_view name) {
  const auto row = std::ranges::find(rows, name, &Row::name);
  if (row == std::end(rows)) return std::nullopt;
  return row->kind;
}

}  // namespace sluice::dataplane
