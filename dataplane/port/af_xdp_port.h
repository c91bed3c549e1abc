// One interface as one worker sees it over AF_XDP: the sockets of its queues behind one Port. Receives from all of
// them in turn; sends on the first, so that a flow's packets leave in the order they came.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "dataplane/port/umem.h"
#include "dataplane/port/xsk.h"
#include "net/error.h"

namespace sluice::dataplane {

class AfXdpPort final : public Port {
 public:
  /// sockets: at least one; the first can transmit. pool: the worker's, must outlive the port.
  /// status: interface and mode, as they are shown.
  static Result<std::unique_ptr<AfXdpPort>> create(PortId id, PortStatus status, UmemPool& pool,
                                                   std::vector<std::unique_ptr<XskSocket>> sockets);
  ~AfXdpPort() override;

  /// Also lends new frames to the kernel, and, when nothing came, picks up what was sent meanwhile.
  std::size_t receive(std::span<Frame> frames) override;
  std::size_t transmit(std::span<const Frame> frames) override;
  void flush() override;
  /// After the interface has gone it is readable for ever, with an error: the worker must close the port then.
  [[nodiscard]] int wait_fd() const override { return wait_fd_; }
  [[nodiscard]] PortStatus status() const override { return status_; }

  [[nodiscard]] const std::vector<std::unique_ptr<XskSocket>>& sockets() const { return sockets_; }
  /// Frames that the kernel holds, for receiving and for sending. Worker's thread.
  [[nodiscard]] std::size_t frames_lent() const;
  /// Packets for us that the kernel dropped on our queues. A system call per queue; any thread.
  [[nodiscard]] std::uint64_t lost() const override;

 private:
  AfXdpPort(PortId id, PortStatus status, UmemPool& pool, std::vector<std::unique_ptr<XskSocket>> sockets);

  PortId id_;
  PortStatus status_;
  UmemPool& pool_;
  std::vector<std::unique_ptr<XskSocket>> sockets_;
  std::size_t next_ = 0;  // whose turn it is to be received from first
  int epoll_ = -1;
  int wait_fd_ = -1;
};

}  // namespace sluice::dataplane
