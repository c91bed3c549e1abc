// Every keyword, from testdata/keywords (see the README there): what it takes is kept and printed back, what it refuses
// is complained about on its line; and no keyword is left out.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "control/config/print.h"
#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::parse;

struct Row {
  std::string file;
  unsigned line = 0;
  std::string path;
  std::string text;
  std::string verdict;  ///< ok, warn, bad
  std::string printed;  ///< "-": not at all

  [[nodiscard]] std::string where() const { return file + ":" + std::to_string(line) + ": " + path + " | " + text; }
};

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::vector<std::filesystem::path> files(const std::string& extension) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(TESTDATA) / "keywords")) {
    if (entry.path().extension() == extension) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const auto& path : files(".txt")) {
    std::ifstream in(path);
    unsigned number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (line.empty() || line.front() == '#') continue;
      line = line.substr(0, line.find(" !oracle"));
      const auto first = line.find('|');
      const auto last = line.rfind(" | ");
      if (first == std::string::npos || last <= first) {
        ADD_FAILURE() << path << ":" << number << ": expected PATH | LINE | VERDICT";
        continue;
      }
      Row row{path.filename(),
              number,
              trimmed(line.substr(0, first)),
              trimmed(line.substr(first + 1, last - first - 1)),
              trimmed(line.substr(last + 3)),
              {}};
      if (const auto arrow = row.verdict.find("=>"); arrow != std::string::npos) {
        row.printed = trimmed(row.verdict.substr(arrow + 2));
        row.verdict = trimmed(row.verdict.substr(0, arrow));
      } else {
        row.printed = row.text;
      }
      all.push_back(std::move(row));
    }
  }
  return all;
}

std::map<std::string, std::string> templates() {
  std::map<std::string, std::string> all;
  for (const auto& path : files(".templates")) {
    std::ifstream in(path);
    std::string* current = nullptr;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("== ")) {
        current = &all[trimmed(line.substr(3))];
      } else if (current != nullptr) {
        *current += line + "\n";
      }
    }
  }
  return all;
}

struct Filled {
  std::string text;
  unsigned line = 0;  ///< of the tested line
};

Filled fill(const std::string& form, const std::string& line) {
  const auto at = form.find("@@");
  if (at == std::string::npos) return {form, 0};
  return {form.substr(0, at) + line + form.substr(at + 2),
          1 + static_cast<unsigned>(std::count(form.begin(), form.begin() + static_cast<std::ptrdiff_t>(at), '\n'))};
}

bool complains_on(const ParseOutcome& outcome, unsigned line) {
  return std::any_of(outcome.complaints.begin(), outcome.complaints.end(),
                     [&](const Complaint& c) { return c.line == line && c.severity != Severity::notice; });
}

bool prints(const std::string& text, const std::string& line) {
  std::istringstream in(text);
  for (std::string each; std::getline(in, each);) {
    if (trimmed(each) == line) return true;
  }
  return false;
}

/// The first lines that differ, for the message.
std::string difference(const std::string& a, const std::string& b) {
  std::istringstream left(a), right(b);
  std::string out, x, y;
  while (out.size() < 2000) {
    const bool more_x = bool(std::getline(left, x)), more_y = bool(std::getline(right, y));
    if (!more_x && !more_y) break;
    if (!more_x) x.clear();
    if (!more_y) y.clear();
    if (x != y) out += "- " + x + "\n+ " + y + "\n";
  }
  return out;
}

TEST(Keywords, EachTakesAndRefusesWhatItShould) {
  const auto forms = templates();
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.where());
    const auto form = forms.find(row.path);
    if (form == forms.end()) {
      ADD_FAILURE() << "no template";
      continue;
    }
    const Filled filled = fill(form->second, row.text);
    const ParseOutcome outcome = parse(filled.text);
    if (row.verdict == "bad") {
      EXPECT_TRUE(complains_on(outcome, filled.line)) << all_complaints(outcome);
      continue;
    }
    EXPECT_EQ(complains_on(outcome, filled.line), row.verdict == "warn") << all_complaints(outcome);
    const std::string text = to_text(outcome.config);
    EXPECT_TRUE(row.printed == "-" || prints(text, row.printed)) << text;
    const ParseOutcome again = parse(text);
    EXPECT_TRUE(again.config == outcome.config) << difference(text, to_text(again.config)) << all_complaints(again);
    EXPECT_FALSE(to_json(outcome.config).empty());
  }
}

TEST(Keywords, NoneIsLeftOut) {
  std::set<std::pair<std::string, std::string>> tested;
  for (const Row& row : rows()) {
    const std::string path = row.path == "/" ? "" : row.path.substr(0, row.path.find('+'));
    tested.emplace(path, row.text.substr(0, row.text.find_first_of(" \t{")));
    // A path says that its blocks were tested, too: "a/b/c" has c in a/b, b in a, a at the top.
    for (std::string rest = path; !rest.empty();) {
      const auto slash = rest.rfind('/');
      const std::string outer = slash == std::string::npos ? "" : rest.substr(0, slash);
      tested.emplace(outer, slash == std::string::npos ? rest : rest.substr(slash + 1));
      rest = outer;
    }
  }
  for (const KeywordInfo& keyword : all_keywords()) {
    EXPECT_TRUE(tested.contains({keyword.block, std::string(keyword.name)}))
        << "no row for " << keyword.name << " in '" << keyword.block << "'";
  }
}

}  // namespace
}  // namespace sluice::control::config
