#include "dataplane/port/xsk.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "dataplane/port/bpf_log.h"

namespace sluice::dataplane {

using namespace std::chrono_literals;

namespace {

/// Frames per refill: less often means fewer touches of a cache line that the kernel writes.
constexpr std::size_t refill_batch = burst_max;

/// In copy mode the kernel sends at most 32 frames per call, so a ring of 4096 is done after this many.
constexpr int kicks_max = 128;

/// Bytes of skbs that a copying socket may have under way: a full ring of 2048 minimum-size packets.
constexpr int send_buffer_bytes = 4 << 20;

constexpr auto queue_free_within = 1000ms;

std::string reason(int error) { return std::strerror(error < 0 ? -error : error); }

}  // namespace

XskUmem::XskUmem(std::shared_ptr<Umem> memory, unsigned ring_size)
    : memory_(std::move(memory)), ring_size_(ring_size), first_rings_(std::make_shared<XskRings>()) {}

Result<std::shared_ptr<XskUmem>> XskUmem::create(std::shared_ptr<Umem> memory, unsigned ring_size) {
  // UMEM counts as locked memory, unless the process has CAP_IPC_LOCK. Best effort: failing shows below.
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);

  std::shared_ptr<XskUmem> umem(new XskUmem(std::move(memory), ring_size));
  const xsk_umem_config config{.fill_size = umem->fill_size(),
                               .comp_size = umem->fill_size(),
                               .frame_size = static_cast<__u32>(umem->memory().geometry().frame_size),
                               .frame_headroom = 0,
                               .flags = 0};
  const BpfLogCapture log;
  const int error = xsk_umem__create(&umem->umem_, umem->memory().base(), umem->memory().geometry().bytes(),
                                     &umem->first_rings_->fill, &umem->first_rings_->completion, &config);
  if (error == 0) return umem;
  umem->umem_ = nullptr;
  const auto mib = umem->memory().geometry().bytes() >> 20;
  switch (-error) {
    case ENOBUFS:
      return fail("AF_XDP", fmt::format("{} MiB of frames are over the limit of locked memory: raise it (systemd: "
                                        "LimitMEMLOCK=infinity; shell: ulimit -l unlimited) or add CAP_IPC_LOCK",
                                        mib));
    case ENOMEM:
      return fail("AF_XDP", fmt::format("not enough memory to pin {} MiB of frames: use fewer queues, or smaller "
                                        "rings",
                                        mib));
    case EPERM:
      return fail("AF_XDP", "no permission for AF_XDP sockets: run as root, or with CAP_NET_RAW and CAP_NET_ADMIN");
    default:
      return fail("AF_XDP", fmt::format("the memory for frames can't be registered: {} {}", reason(error), log.text()));
  }
}

XskUmem::~XskUmem() {
  if (umem_ != nullptr) xsk_umem__delete(umem_);
}

std::shared_ptr<XskRings> XskUmem::rings_for_next_socket() {
  return std::exchange(first_given_, true) ? std::make_shared<XskRings>() : first_rings_;
}

XskSocket::XskSocket(std::shared_ptr<XskUmem> umem, const XskOptions& options)
    : umem_(std::move(umem)),
      rings_(umem_->rings_for_next_socket()),
      base_(umem_->memory().base()),
      frame_size_(umem_->memory().geometry().frame_size),
      queue_(options.queue),
      fill_target_(umem_->fill_size()),
      missing_(fill_target_) {}

Result<std::unique_ptr<XskSocket>> XskSocket::open(std::shared_ptr<XskUmem> umem, const XskOptions& options) {
  std::unique_ptr<XskSocket> socket(new XskSocket(std::move(umem), options));
  xsk_socket_config config{};
  config.rx_size = socket->umem_->ring_size();
  config.tx_size = socket->umem_->ring_size();
  config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
  config.bind_flags = static_cast<__u16>(XDP_USE_NEED_WAKEUP | (options.zero_copy ? XDP_ZEROCOPY : XDP_COPY));
  const BpfLogCapture log;
  const auto create = [&] {
    return xsk_socket__create_shared(
        &socket->socket_, options.interface.c_str(), options.queue, socket->umem_->handle(), &socket->receive_,
        options.transmits ? &socket->transmit_ : nullptr, &socket->rings_->fill, &socket->rings_->completion, &config);
  };
  int error = create();
  // The kernel frees a queue some time after its socket was closed, by us a moment ago or by a run before this one.
  for (auto waited = 0ms; error == -EBUSY && waited < queue_free_within; waited += 10ms) {
    std::this_thread::sleep_for(10ms);
    error = create();
  }
  if (error != 0) {
    socket->socket_ = nullptr;
    const auto where = fmt::format("{} queue {}", options.interface, options.queue);
    switch (-error) {
      case EBUSY: return fail(where, "another program has an AF_XDP socket on this queue: stop it (see: ss --xdp)");
      case EPERM: return fail(where, "no permission for AF_XDP: run as root, or with CAP_NET_RAW and CAP_NET_ADMIN");
      case EOPNOTSUPP:
        return fail(where,
                    options.zero_copy ? "the driver has no zero-copy AF_XDP" : "the driver doesn't support AF_XDP");
      case ENETDOWN: return fail(where, "the interface is down: ip link set dev " + options.interface + " up");
      default: return fail(where, fmt::format("no AF_XDP socket: {} {}", reason(error), log.text()));
    }
  }
  socket->fd_ = xsk_socket__fd(socket->socket_);
  setsockopt(socket->fd_, SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer_bytes, sizeof send_buffer_bytes);
  return socket;
}

XskSocket::~XskSocket() {
  if (socket_ != nullptr) xsk_socket__delete(socket_);
}

std::size_t XskSocket::receive(std::span<Frame> frames, PortId port) {
  std::uint32_t at = 0;
  const std::uint32_t n = xsk_ring_cons__peek(&receive_, static_cast<std::uint32_t>(frames.size()), &at);
  for (std::uint32_t i = 0; i < n; ++i) {
    const xdp_desc* packet = xsk_ring_cons__rx_desc(&receive_, at + i);
    const std::uint64_t headroom = packet->addr & (frame_size_ - 1);
    frames[i] = {.data = base_ + packet->addr,
                 .length = static_cast<std::uint16_t>(packet->len),
                 .headroom = static_cast<std::uint16_t>(headroom),
                 .tailroom = static_cast<std::uint16_t>(frame_size_ - headroom - packet->len),
                 .port = port,
                 .handle = packet->addr - headroom};
  }
  if (n == 0) return 0;
  xsk_ring_cons__release(&receive_, n);
  missing_ += n;
  return n;
}

void XskSocket::refill(UmemPool& pool, bool all) {
  if (missing_ == 0 || (!all && missing_ < refill_batch)) return;
  std::array<FrameNumber, refill_batch> numbers;
  while (missing_ > 0) {
    const auto room = xsk_prod_nb_free(&rings_->fill, static_cast<std::uint32_t>(refill_batch));
    const std::size_t n = pool.take({numbers.data(), std::min({missing_, refill_batch, std::size_t{room}})});
    std::uint32_t at = 0;
    if (n == 0 || xsk_ring_prod__reserve(&rings_->fill, static_cast<std::uint32_t>(n), &at) == 0) break;
    for (std::size_t i = 0; i < n; ++i) {
      *xsk_ring_prod__fill_addr(&rings_->fill, at + static_cast<std::uint32_t>(i)) = numbers[i] * frame_size_;
    }
    xsk_ring_prod__submit(&rings_->fill, static_cast<std::uint32_t>(n));
    missing_ -= n;
    if (n < refill_batch) break;
  }
  // A driver that ran out of frames stopped looking; recvfrom makes it look again.
  if (xsk_ring_prod__needs_wakeup(&rings_->fill)) recvfrom(fd_, nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
}

std::size_t XskSocket::transmit(std::span<const Frame> frames, UmemPool& pool) {
  const auto wanted = static_cast<std::uint32_t>(frames.size());
  if (xsk_prod_nb_free(&transmit_, wanted) < wanted) {
    kick();
    reclaim(pool);
  }
  const std::uint32_t n = std::min(xsk_prod_nb_free(&transmit_, wanted), wanted);
  std::uint32_t at = 0;
  if (n == 0 || xsk_ring_prod__reserve(&transmit_, n, &at) == 0) return 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    xdp_desc* packet = xsk_ring_prod__tx_desc(&transmit_, at + i);
    packet->addr = static_cast<std::uint64_t>(frames[i].data - base_);
    packet->len = frames[i].length;
    packet->options = 0;
  }
  xsk_ring_prod__submit(&transmit_, n);
  sending_ += n;
  unkicked_ = true;
  return n;
}

void XskSocket::kick() {
  if (!unkicked_) return;
  // The driver says that it will sleep, then looks at the ring once more; we publish, then look at what it said.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!xsk_ring_prod__needs_wakeup(&transmit_)) {
    unkicked_ = false;  // the driver is awake and will find them
    return;
  }
  for (int kicks = 0; kicks < kicks_max; ++kicks) {
    if (sendto(fd_, nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0) {
      unkicked_ = false;
      return;
    }
    // EAGAIN: a part was sent; or nothing can be sent now, which the ring's free places tell.
    if (errno != EAGAIN) return;  // EBUSY, ENOBUFS, ENETDOWN: with the next kick
    const auto consumed_before = transmit_.cached_cons;
    (void)xsk_prod_nb_free(&transmit_, transmit_.size + 1);
    if (transmit_.cached_cons == consumed_before) return;
  }
}

void XskSocket::reclaim(UmemPool& pool) {
  std::array<FrameNumber, burst_max> numbers;
  while (sending_ > 0) {
    std::uint32_t at = 0;
    const std::uint32_t n = xsk_ring_cons__peek(&rings_->completion, static_cast<std::uint32_t>(numbers.size()), &at);
    if (n == 0) return;
    for (std::uint32_t i = 0; i < n; ++i) {
      // The address comes back as it was sent, with the packet's offset in the frame.
      numbers[i] = FrameNumber(*xsk_ring_cons__comp_addr(&rings_->completion, at + i) / frame_size_);
    }
    xsk_ring_cons__release(&rings_->completion, n);
    sending_ -= n;
    pool.give({numbers.data(), n});
  }
}

bool XskSocket::zero_copy() const {
  xdp_options options{};
  socklen_t length = sizeof options;
  return getsockopt(fd_, SOL_XDP, XDP_OPTIONS, &options, &length) == 0 && (options.flags & XDP_OPTIONS_ZEROCOPY) != 0;
}

std::uint64_t XskSocket::kernel_drops() const {
  xdp_statistics statistics{};
  socklen_t length = sizeof statistics;
  if (getsockopt(fd_, SOL_XDP, XDP_STATISTICS, &statistics, &length) != 0) return 0;
  return statistics.rx_dropped + statistics.rx_ring_full + statistics.rx_fill_ring_empty_descs;
}

}  // namespace sluice::dataplane
