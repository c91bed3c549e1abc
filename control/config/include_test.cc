// Includes: which files, in which order, from where, and what happens when they are not there. The checks are those of
// keepalived 2.2.7, whose `-t` answers 6 where this one answers 4, as for a main file that is missing.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "control/config/include.h"
#include "control/config/lexer.h"
#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;

class Includes : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-include-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = std::filesystem::canonical(name);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  ParseOutcome parse(const std::string& text, ParseOptions options = {}) const {
    options.config_id = "director1";
    auto outcome = parse_file(write("main.conf", text), options);
    EXPECT_TRUE(outcome);
    return outcome ? std::move(*outcome) : ParseOutcome{};
  }
  /// The files that were read, without the main one and without their folder.
  std::string files(const ParseOutcome& outcome) const {
    std::string names;
    for (std::size_t i = 1; i < outcome.files.size(); ++i) {
      names += (i == 1 ? "" : " ") + outcome.files[i].substr(root_.string().size() + 1);
    }
    return names;
  }
  int status(const std::string& text) const { return test_exit_status(parse(text)); }

  std::filesystem::path root_;
};

TEST_F(Includes, FilesComeSortedAlternativesAsWritten) {
  for (const char* name : {"d/b.conf", "d/a.conf", "d/.hidden.conf", "d/c.txt", "e/z.conf", "e/y.conf", "f g.conf"}) {
    write(name, "");
  }
  EXPECT_EQ(files(parse("include d/*.conf")), "d/a.conf d/b.conf");
  EXPECT_EQ(files(parse("include {e,d}/*.conf")), "e/y.conf e/z.conf d/a.conf d/b.conf");
  EXPECT_EQ(files(parse("include {e/{z,y},d/b}.conf")), "e/z.conf e/y.conf d/b.conf");
  EXPECT_EQ(files(parse("include ?/[a-y].conf")), "d/a.conf d/b.conf e/y.conf");
  EXPECT_EQ(files(parse("include d/.h*")), "d/.hidden.conf");
  EXPECT_EQ(files(parse("include " + root_.string() + "/d/../e/y.conf")), "d/../e/y.conf");
  EXPECT_EQ(files(parse("include f g.conf  # two words\ninclude \"f g.conf\"\ninclude f\\ g.conf")),
            "f g.conf f g.conf f g.conf");
}

TEST_F(Includes, StandInAnyBlockAndLeaveTheRestOfTheLine) {
  write("rs.conf", "real_server 10.0.1.7 80 {\n}\n");
  write("rs2.conf", "real_server 10.0.1.8 80 {\n}\n");
  for (const char* line : {"include rs.conf", "~LST(n,rs) include ${n}.conf", "@director1 include rs.conf",
                           "$F=rs\ninclude ${F}.conf", "include {rs,}.conf", "$M= \\\ninclude rs.conf\n$M"}) {
    const auto outcome =
        parse("virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n" + std::string(line) + "\n}\n");
    EXPECT_EQ(outcome.config.virtual_servers.size(), 1u) << line << "\n" << all_complaints(outcome);
    EXPECT_EQ(test_exit_status(outcome), 0) << line << "\n" << all_complaints(outcome);
  }
  const auto one_line = parse(
      "virtual_server 10.0.0.1 80 { lb_algo rr\nlb_kind NAT\nprotocol TCP\ninclude {rs,rs2}.conf }\nglobal_defs { "
      "router_id x }\n");
  ASSERT_EQ(one_line.config.virtual_servers.size(), 1u) << all_complaints(one_line);
  EXPECT_EQ(one_line.config.virtual_servers[0].real_servers.size(), 2u);
  EXPECT_EQ(one_line.config.global.router_id, "x");
  EXPECT_EQ(one_line.complaints.size(), 0u) << all_complaints(one_line);
}

TEST_F(Includes, ThePatternEndsWhereABlockDoes) {
  const auto cut = [](std::string_view rest) {
    const IncludePattern pattern = cut_pattern(rest);
    return pattern.text + "|" + std::string(rest.substr(pattern.used));
  };
  EXPECT_EQ(cut("  a.conf  "), "a.conf|");
  EXPECT_EQ(cut(" {a,b}.conf } x"), "{a,b}.conf|} x");
  EXPECT_EQ(cut(" {a,{b,c}}}}"), "{a,{b,c}}|}}");
  EXPECT_EQ(cut(" {a"), "{a|");
  EXPECT_EQ(cut(" \"a }\" }"), "a }| }");
  EXPECT_EQ(cut(" \"a"), "a|");
  EXPECT_EQ(cut(""), "|");
  EXPECT_EQ(cut(" }"), "|}");
}

TEST_F(Includes, AreRelativeToTheirOwnFile) {
  write("sub/a.conf", "include b.conf\n");
  write("sub/b.conf", "include ../c.conf\nglobal_defs { router_id ${_PWD} }\n");
  write("b.conf", "nonsense\n");
  write("c.conf", "");
  const auto outcome = parse("include sub/a.conf");
  EXPECT_EQ(files(outcome), "sub/a.conf sub/b.conf sub/../c.conf");
  EXPECT_EQ(outcome.config.global.router_id, (root_ / "sub").string());
}

TEST_F(Includes, AreNoticedUnlessTheyMustBeThere) {
  std::filesystem::create_directory(root_ / "sub");
  write("f", "");
  chmod(write("x", "nonsense").c_str(), 0755);
  struct Row {
    const char* form;
    int unreadable, executable, missing, no_match, one_alternative;
  };
  const Row rows[] = {
      {"include", 0, 0, 0, 0, 0},  {"includer", 4, 4, 0, 0, 0}, {"includem", 4, 4, 4, 0, 0},
      {"includew", 4, 4, 4, 4, 0}, {"includeb", 4, 4, 0, 0, 4}, {"includea", 4, 4, 4, 4, 4},
  };
  for (const Row& row : rows) {
    const std::string form = row.form;
    EXPECT_EQ(status(form + " sub"), row.unreadable) << form;
    EXPECT_EQ(status(form + " x"), row.executable) << form;
    EXPECT_EQ(status(form + " none"), row.missing) << form;
    EXPECT_EQ(status(form + " none*"), row.no_match) << form;
    EXPECT_EQ(status(form + " {f,g}"), row.one_alternative) << form;
    EXPECT_EQ(status(form + " {h,g}"), row.one_alternative) << form;
    EXPECT_EQ(status(form + " {f,g*}"), 0) << form;
    EXPECT_EQ(status(form + " f"), 0) << form;
    const auto outcome = parse(form + " none");
    EXPECT_EQ(outcome.complaints.size(), 1u);
    EXPECT_EQ(outcome.include_failed, row.missing != 0);
    EXPECT_EQ(outcome.complaints[0].column, form.size() + 2);
  }
  EXPECT_TRUE(complains(parse("includea {f,g}"), "no file matches '" + root_.string() + "/g' of '{f,g}'"))
      << all_complaints(parse("includea {f,g}"));
  // Whatever else is wrong, wins; and the daemon still knows.
  const auto both = parse("includea none\nnonsense\n");
  EXPECT_EQ(test_exit_status(both), 5);
  EXPECT_TRUE(both.include_failed);
}

TEST_F(Includes, IncludeCheckSaysWhatMustBeThere) {
  std::filesystem::create_directory(root_ / "sub");
  write("f", "");
  struct Row {
    const char* words;
    int unreadable, missing, no_match, one_alternative;
  };
  const Row rows[] = {
      {"include_check", 4, 4, 4, 4},
      {"include_check read", 4, 0, 0, 0},
      {"include_check readable", 4, 0, 0, 0},
      {"include_check match", 4, 4, 0, 0},
      {"include_check wildcard_match", 4, 0, 4, 0},
      {"include_check brace_match", 4, 0, 0, 4},
      {"include_check match brace_match", 4, 4, 0, 4},
      {"include_check match\ninclude_check wildcard_match", 4, 0, 4, 0},
      {"include_check match\ninclude_check +wildcard_match", 4, 4, 4, 0},
      {"include_check +match", 4, 4, 0, 0},
      {"include_check -match", 0, 0, 0, 0},
      {"include_check\ninclude_check -match", 4, 0, 4, 4},
      {"include_check\ninclude_check -read", 0, 4, 4, 4},
      {"include_check\ninclude_check -wildcard_match -brace_match", 4, 4, 0, 0},
      {"@other include_check", 0, 0, 0, 0},
  };
  for (const Row& row : rows) {
    const std::string start = "global_defs {\n" + std::string(row.words) + "\n}\n";
    EXPECT_EQ(status(start + "include sub"), row.unreadable) << row.words;
    EXPECT_EQ(status(start + "include none"), row.missing) << row.words;
    EXPECT_EQ(status(start + "include none*"), row.no_match) << row.words;
    EXPECT_EQ(status(start + "include {f,g}"), row.one_alternative) << row.words;
  }
  EXPECT_EQ(status("include none\nglobal_defs {\ninclude_check\n}\n"), 0) << "acts on what follows it";
  EXPECT_EQ(status("global_defs {\ninclude_check\ninclude none\n}\n"), 4) << "at once";
  EXPECT_EQ(status("vrrp_script x {\ninclude_check\n}\ninclude none\n") & 4, 4) << "is no keyword elsewhere";
  const auto unknown = parse("global_defs {\ninclude_check foo\n}\ninclude none\n");
  EXPECT_EQ(test_exit_status(unknown), 5);
  EXPECT_FALSE(unknown.include_failed);
  EXPECT_TRUE(complains(unknown, ":2:15: error: include_check 'foo' ignored")) << all_complaints(unknown);
}

TEST_F(Includes, IncludeCheckEndsWithItsFile) {
  write("set", "global_defs {\ninclude_check match\n}\n");
  write("unset", "global_defs {\ninclude_check -match\n}\n");
  write("none1", "include none\n");
  EXPECT_EQ(status("include set\ninclude none\n"), 0);
  EXPECT_EQ(status("global_defs {\ninclude_check match\n}\ninclude none1\n"), 4);
  EXPECT_EQ(status("global_defs {\ninclude_check match\n}\ninclude unset\ninclude none\n"), 4);
}

TEST_F(Includes, AllOfThemMustBeThereIfTheCommandLineSaysSo) {
  ParseOptions options;
  options.require_includes = true;
  EXPECT_EQ(test_exit_status(parse("include none\n", options)), 4);
  EXPECT_EQ(test_exit_status(parse("global_defs {\ninclude_check -match\n}\ninclude none\n", options)), 0);
  EXPECT_EQ(test_exit_status(parse("includer none\n", options)), 0);
}

TEST_F(Includes, WithoutANameAreNoInclude) {
  EXPECT_EQ(status("include\n"), 5);
  EXPECT_EQ(status("include # x\n"), 5);
  EXPECT_EQ(status("include \"\"\n"), 5);
  EXPECT_TRUE(complains(parse("includefoo x\n"), "unknown keyword 'includefoo'"));
}

TEST_F(Includes, ComplaintsNameTheChain) {
  write("a.conf", "\ninclude b.conf\n");
  write("b.conf", "nonsense\n");
  const auto outcome = parse("include a.conf\n");
  ASSERT_EQ(outcome.complaints.size(), 1u);
  const std::string root = root_.string();
  EXPECT_EQ(outcome.complaints[0].included_from, root + "/a.conf:2, " + root + "/main.conf:1");
  EXPECT_TRUE(
      render(outcome.complaints[0]).ends_with("included from " + root + "/a.conf:2, " + root + "/main.conf:1\n"))
      << render(outcome.complaints[0]);
}

TEST_F(Includes, LoopsAreFoundWhateverTheFilesAreCalled) {
  write("a.conf", "include d/../b.conf\n");
  write("b.conf", "include link.conf\n");
  std::filesystem::create_directory(root_ / "d");
  std::filesystem::create_symlink(root_ / "main.conf", root_ / "link.conf");
  const auto outcome = parse("include a.conf\nglobal_defs { router_id x }\n");
  EXPECT_EQ(outcome.files.size(), 3u);
  ASSERT_EQ(outcome.complaints.size(), 1u) << all_complaints(outcome);
  EXPECT_TRUE(complains(outcome, "it would include itself without end (")) << all_complaints(outcome);
  EXPECT_TRUE(complains(outcome, "/b.conf:1, " + root_.string() + "/a.conf:1, " + root_.string() + "/main.conf:1)"));
  EXPECT_EQ(outcome.config.global.router_id, "x");
}

TEST_F(Includes, GoAsDeepAsTheLimitAndNotDeeper) {
  for (std::size_t i = 0; i <= include_depth_max; ++i) {
    write(std::to_string(i), "include " + std::to_string(i + 1) + "\n");
  }
  const auto outcome = parse("include 0\n");
  EXPECT_EQ(outcome.files.size(), include_depth_max + 1);
  EXPECT_TRUE(complains(outcome, "files include each other more than 16 deep (")) << all_complaints(outcome);
  EXPECT_EQ(outcome.complaints.size(), 1u);
}

TEST_F(Includes, PatternsThatAskForTooMuchAreCut) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "{a,b}";
  const auto braces = parse("include " + many + "\n");
  EXPECT_TRUE(complains(braces, "asks for too much")) << all_complaints(braces);
  for (int i = 0; i < 200; ++i) write("many/" + std::to_string(i), "include ../leaf/*\n");
  for (int i = 0; i < 100; ++i) write("leaf/" + std::to_string(i), "");
  const auto files = parse("include many/*\n");
  EXPECT_EQ(files.files.size(), include_files_max) << all_complaints(files);
  EXPECT_TRUE(complains(files, "more than 10000 files included")) << all_complaints(files);
}

TEST_F(Includes, TheMainFileMayBeSeveral) {
  write("m/2.conf", "global_defs { router_id two }\nnonsense\n");
  write("m/1.conf", "global_defs { router_id one }\n$A=x\n");
  const auto outcome = parse_file((root_ / "m/*.conf").string());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->config.global.router_id, "two");
  EXPECT_EQ(outcome->files.size(), 2u);
  EXPECT_TRUE(complains(*outcome, "m/1.conf: warning: 2 files match, all of them are read"))
      << all_complaints(*outcome);
  EXPECT_TRUE(complains(*outcome, "m/2.conf:2:1: warning: unknown keyword"));
  EXPECT_EQ(test_exit_status(*outcome), 5);

  const auto one = parse_file((root_ / "m/{1,3}.conf").string());
  ASSERT_TRUE(one);
  EXPECT_EQ(test_exit_status(*one), 0) << all_complaints(*one);
  const auto none = parse_file((root_ / "m/*.txt").string());
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().text().ends_with("/m/*.txt: cannot read the configuration: No such file or directory"));
  // A file of that very name is no pattern.
  write("m/[1].conf", "global_defs { router_id three }\n");
  const auto literal = parse_file((root_ / "m/[1].conf").string());
  ASSERT_TRUE(literal);
  EXPECT_EQ(literal->config.global.router_id, "three");
}

TEST_F(Includes, WhatIsNotReadableSaysWhy) {
  ASSERT_EQ(mkfifo((root_ / "fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(root_ / "dir");
  std::filesystem::create_symlink("nowhere", root_ / "dangling");
  EXPECT_TRUE(complains(parse("include fifo"), "/fifo: is not a regular file"));
  EXPECT_TRUE(complains(parse("include dir"), "/dir: is a directory"));
  EXPECT_TRUE(complains(parse("include dangling"), "no file matches 'dangling'"));
  EXPECT_TRUE(complains(parse("include /dev/null"), "/dev/null: is not a regular file"));
  if (geteuid() != 0) {
    chmod(write("secret", "").c_str(), 0);
    EXPECT_TRUE(complains(parse("includer secret"), "/secret: cannot read the configuration: Permission denied"));
  }
}

}  // namespace
}  // namespace sluice::control::config
