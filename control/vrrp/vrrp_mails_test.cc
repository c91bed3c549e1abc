#include "control/vrrp/vrrp_mails.h"

#include <gtest/gtest.h>

#include "control/config/parse.h"

namespace sluice::control {
namespace {

using vrrp::NotifyEvent;

config::Config config(const std::string& global, const std::string& of_instance = "",
                      const std::string& of_group = "") {
  return config::parse_text(
             "global_defs {\n" + global +
                 "\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.1\n}\n" +
                 of_instance + "\n}\nvrrp_sync_group G {\ngroup {\nV\n}\n" + of_group + "\n}\n",
             "test.conf")
      .config;
}

VrrpNotice instance(NotifyEvent event) { return {false, "V", event, 100}; }
VrrpNotice group(NotifyEvent event) { return {true, "G", event, 0}; }

TEST(VrrpMails, SayWhatKeepalivedSays) {
  const auto all = config("smtp_alert");
  VrrpMails mails;
  const auto said = [&](const VrrpNotice& notice) {
    const auto alert = mails.on(all, notice);
    return alert ? alert->subject + " | " + alert->body : "";
  };
  EXPECT_EQ(said(instance(NotifyEvent::backup)),
            "VRRP Instance V - Entering BACKUP state | => VRRP Instance is no longer owning VRRP VIPs <=");
  EXPECT_EQ(said(instance(NotifyEvent::master)),
            "VRRP Instance V - Entering MASTER state | => VRRP Instance is now owning VRRP VIPs <=");
  EXPECT_EQ(said(instance(NotifyEvent::fault)),
            "VRRP Instance V - Entering FAULT state | => VRRP Instance is no longer owning VRRP VIPs <=");
  EXPECT_EQ(said(instance(NotifyEvent::deleted)), "VRRP Instance V - Deleted | => VRRP Deleted at reload <=");
  EXPECT_EQ(said(instance(NotifyEvent::stop)), "VRRP Instance V - Stopping | => VRRP Instance stopping <=");
  EXPECT_EQ(said(group(NotifyEvent::fault)),
            "VRRP Group G - Entering FAULT state | => All VRRP group instances are now in FAULT state <=");
  EXPECT_EQ(said(instance(NotifyEvent::master_priority)), "");
  EXPECT_EQ(said(instance(NotifyEvent::master_rx_lower_priority)), "");
  EXPECT_EQ(said({false, "unknown", NotifyEvent::master, 1}), "");
}

TEST(VrrpMails, AreOfThoseWhoWantThem) {
  const auto told = [](const config::Config& config, const VrrpNotice& notice) {
    return VrrpMails().on(config, notice).has_value();
  };
  const auto notice = instance(NotifyEvent::master);
  EXPECT_FALSE(told(config(""), notice));
  EXPECT_TRUE(told(config("smtp_alert_vrrp"), notice));
  EXPECT_FALSE(told(config("smtp_alert\nsmtp_alert_vrrp off"), notice));
  EXPECT_FALSE(told(config("smtp_alert", "smtp_alert off"), notice));
  EXPECT_TRUE(told(config("", "smtp_alert"), notice));
  EXPECT_FALSE(told(config("", "smtp_alert"), group(NotifyEvent::master)));
  EXPECT_TRUE(told(config("", "", "smtp_alert"), group(NotifyEvent::master)));
}

TEST(VrrpMails, TheSameStateIsNotMailedTwiceInARow) {
  const auto all = config("smtp_alert");
  VrrpMails mails;
  EXPECT_TRUE(mails.on(all, instance(NotifyEvent::backup)));
  EXPECT_FALSE(mails.on(all, instance(NotifyEvent::backup)));
  EXPECT_TRUE(mails.on(all, group(NotifyEvent::backup))) << "a group is another";
  EXPECT_TRUE(mails.on(all, instance(NotifyEvent::master)));
  EXPECT_TRUE(mails.on(all, instance(NotifyEvent::backup)));
}

TEST(VrrpMails, AFaultThatIsKeptBackWasNotMailed) {
  const auto all = config("smtp_alert\nno_email_faults");
  VrrpMails mails;
  EXPECT_TRUE(mails.on(all, instance(NotifyEvent::backup)));
  EXPECT_FALSE(mails.on(all, instance(NotifyEvent::fault)));
  EXPECT_FALSE(mails.on(all, group(NotifyEvent::fault)));
  EXPECT_FALSE(mails.on(all, instance(NotifyEvent::backup))) << "as keepalived: the last mail said so already";
  EXPECT_TRUE(mails.on(all, instance(NotifyEvent::master)));
}

}  // namespace
}  // namespace sluice::control
