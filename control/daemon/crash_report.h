// What a dying director leaves behind: which signal, where, in which thread, and the calls that led there. Written by
// handlers that may use nothing but system calls, into a memory file that the supervisor holds; made readable there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::control {

/// From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, std::terminate and a failed assert() write a report to `file`
/// before the process dies of the signal as it would have, core dump included. Call it once, on the control thread;
/// that thread's stack overflow is reported as well, for which it gets a stack of its own.
/// file: must stay open.
void install_crash_handlers(int file);

/// A report's lines as they go into the log: C++ names instead of their codes. Empty for an empty report.
[[nodiscard]] std::vector<std::string> readable_crash_report(std::string_view report);

}  // namespace sluice::control
