// The schedulers once more, slow and plain, each written straight from the description of what IPVS does; the property
// test holds the real ones against them. A model sees the list as names, head first, and is told of each change after
// it happened. Kept too simple to be wrong: no speed, no bounds, no shared helpers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "dataplane/table/service.h"

namespace sluice::dataplane::test {

struct ModelServer {
  char name;
  std::int64_t weight;
  std::int64_t active;
  std::int64_t inactive;
  bool overloaded;

  [[nodiscard]] bool may_be_chosen() const { return weight > 0 && !overloaded; }
  [[nodiscard]] std::int64_t overhead() const { return active * 256 + inactive; }
};
using ModelList = std::vector<ModelServer>;

struct ModelPacket {
  std::uint32_t source;
  std::uint16_t source_port;
  std::uint32_t destination;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual void added_or_edited(const ModelList&) {}
  /// before: the list in which `name` still was.
  virtual void removed(char /*name*/, const ModelList& /*before*/, const ModelList& /*after*/) {}
  /// '-' for none.
  virtual char pick(const ModelList& list, const ModelPacket& packet) = 0;
};

class RrModel final : public Model {
 public:
  void removed(char name, const ModelList& before, const ModelList&) override {
    if (name != last_) return;
    last_ = head;
    for (const ModelServer& server : before) {
      if (server.name == name) return;
      last_ = server.name;
    }
  }
  char pick(const ModelList& list, const ModelPacket&) override {
    ModelList order = list;  // turned until the one after the last chosen is in front
    while (last_ != head && order.back().name != last_) std::rotate(order.begin(), order.begin() + 1, order.end());
    for (const ModelServer& server : order) {
      if (server.may_be_chosen()) return last_ = server.name;
    }
    return '-';
  }

 private:
  static constexpr char head = 0;
  char last_ = head;
};

class WrrModel final : public Model {
 public:
  void added_or_edited(const ModelList& list) override { changed(list); }
  void removed(char, const ModelList&, const ModelList& after) override { changed(after); }

  char pick(const ModelList& list, const ModelPacket&) override {
    if (mw_ == 0) return '-';
    // The walk as a line of visits, so many passes that the rules below end it.
    const int start = cl_;
    const int size = static_cast<int>(list.size());
    bool last_pass = false;
    bool after_wrap = false;
    for (int at = start + 1;; ++at) {
      if (at == size) {
        cw_ -= di_;
        if (cw_ <= 0) {
          cw_ = mw_;
          if (last_pass || start == head) return '-';
          after_wrap = true;
        }
        last_pass = cw_ <= di_;
        at = head;
        continue;
      }
      const ModelServer& server = list[static_cast<std::size_t>(at)];
      if (!server.overloaded && server.weight >= cw_) {
        cl_ = at;
        return server.name;
      }
      if (last_pass && after_wrap && at == start) return '-';
    }
  }

 private:
  void changed(const ModelList& list) {
    di_ = 0;
    std::int64_t greatest = 0;
    for (const ModelServer& server : list) {
      if (server.weight > 0) di_ = std::gcd(di_, server.weight);
      greatest = std::max(greatest, server.weight);
    }
    if (di_ == 0) di_ = 1;
    mw_ = greatest - (di_ - 1);
    cl_ = head;
    if (cw_ > mw_ || cw_ == 0) {
      cw_ = mw_;
    } else if (di_ > 1) {
      cw_ = cw_ / di_ * di_ + 1;
    }
  }

  static constexpr int head = -1;
  int cl_ = head;
  std::int64_t mw_ = 0, di_ = 1, cw_ = 0;
};

/// The first that nobody beats, by exact comparison of fractions.
inline char first_least(const ModelList& list, bool weighted) {
  for (const ModelServer& server : list) {
    if (!server.may_be_chosen()) continue;
    const auto beats_it = [&](const ModelServer& other) {
      if (!other.may_be_chosen()) return false;
      if (!weighted) return other.overhead() < server.overhead();
      return __int128{other.overhead()} * server.weight < __int128{server.overhead()} * other.weight;
    };
    if (std::ranges::none_of(list, beats_it)) return server.name;
  }
  return '-';
}

class LcModel final : public Model {
 public:
  char pick(const ModelList& list, const ModelPacket&) override { return first_least(list, false); }
};

class WlcModel final : public Model {
 public:
  char pick(const ModelList& list, const ModelPacket&) override { return first_least(list, true); }
};

inline std::uint32_t model_bucket(std::uint64_t value, std::uint64_t buckets) {
  const std::uint64_t low = value * 0x61C88647 % (std::uint64_t{1} << 32);
  return static_cast<std::uint32_t>(low / ((std::uint64_t{1} << 32) / buckets));
}

class DhModel final : public Model {
 public:
  char pick(const ModelList& list, const ModelPacket& packet) override {
    if (list.empty()) return '-';
    const ModelServer& server = list[model_bucket(packet.destination, 256) % list.size()];
    return server.may_be_chosen() ? server.name : '-';
  }
};

class ShModel final : public Model {
 public:
  ShModel(bool port, bool fallback) : port_(port), fallback_(fallback) {}

  char pick(const ModelList& list, const ModelPacket& packet) override {
    if (list.empty()) return '-';
    ModelList table;
    while (table.size() < 256) {
      for (const ModelServer& server : list) {
        const std::int64_t share = std::clamp<std::int64_t>(server.weight, 1, 256);
        for (std::int64_t i = 0; i < share; ++i) table.push_back(server);
      }
    }
    const std::uint32_t key = packet.source + (port_ ? packet.source_port : 0u);
    const std::uint32_t home = model_bucket(key, 256);
    if (table[home].may_be_chosen()) return table[home].name;
    for (std::uint32_t i = 0; fallback_ && i < 256; ++i) {
      const ModelServer& server = table[(home + home + i) % 256];
      if (server.may_be_chosen()) return server.name;
    }
    return '-';
  }

 private:
  bool port_;
  bool fallback_;
};

/// Without expiry and limit of size, which have tests of their own.
class LblcModel final : public Model {
 public:
  char pick(const ModelList& list, const ModelPacket& packet) override {
    const auto known = served_by_.find(packet.destination);
    if (known != served_by_.end()) {
      for (const ModelServer& server : list) {
        if (server.name == known->second && server.weight > 0 && !overloaded(server, list)) return server.name;
      }
    }
    const char chosen = first_least(list, true);
    if (chosen != '-') served_by_[packet.destination] = chosen;
    return chosen;
  }

 private:
  static bool overloaded(const ModelServer& server, const ModelList& list) {
    return server.active > server.weight &&
           std::ranges::any_of(list, [](const ModelServer& other) { return other.active * 2 < other.weight; });
  }
  std::map<std::uint32_t, char> served_by_;
};

inline std::unique_ptr<Model> make_model(const Service& service) {
  switch (service.scheduler) {
    case SchedulerKind::rr: return std::make_unique<RrModel>();
    case SchedulerKind::wrr: return std::make_unique<WrrModel>();
    case SchedulerKind::lc: return std::make_unique<LcModel>();
    case SchedulerKind::wlc: return std::make_unique<WlcModel>();
    case SchedulerKind::sh: return std::make_unique<ShModel>(service.sh_port, service.sh_fallback);
    case SchedulerKind::dh: return std::make_unique<DhModel>();
    case SchedulerKind::lblc: return std::make_unique<LblcModel>();
  }
  return nullptr;
}

}  // namespace sluice::dataplane::test
