// Each test shows the tidy test a small tree, and what it must say about it.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/laws.h"
#include "tests/tidy/lengths.h"
#include "tests/tidy/shape.h"

namespace anchor::tidy {
namespace {

std::vector<std::string> said(const Findings& findings) {
  std::vector<std::string> all;
  for (const Finding& finding : findings) {
    all.push_back(finding.path + ":" + std::to_string(finding.line) + ": " + finding.message);
  }
  return all;
}

using Lines = std::vector<std::string>;

Lines purity(std::string path, std::string text, std::string_view exceptions = "") {
  Findings findings;
  Exceptions allowed("exceptions", exceptions, findings);
  findings = check_purity({Source(std::move(path), std::move(text))}, allowed);
  allowed.report_unused(findings);
  return said(findings);
}

Lines includes(std::string path, std::string text) {
  Findings findings;
  Exceptions none("exceptions", "", findings);
  return said(check_includes({Source(std::move(path), std::move(text))}, none));
}

Lines lengths(const std::string& path, const std::string& text, std::string_view ratchets = "") {
  return said(check_lengths({Source(path, text)}, "ratchets", ratchets));
}

Lines shape(std::string path, std::string text) {
  return said(check_shape({Source(std::move(path), std::move(text))}));
}

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "  step();\n";
  return text;
}

// --- Purity -------------------------------------------------------------------------------------

TEST(Purity, RefusesABannedHeaderInTheCore) {
  for (const std::string header : {"<thread>", "<unordered_map>", "<sys/stat.h>", "<kj/async.h>",
                                   "<capnp/rpc-twoparty.h>", "<uv.h>", "<chrono>"}) {
    EXPECT_EQ(purity("core/kv/a.cc", "\n#include " + header + "\n"),
              Lines{"core/kv/a.cc:2: " + header + " is banned: what decides is pure"});
  }
}

TEST(Purity, RefusesABannedNameInCoreProtoAndSim) {
  for (const std::string name : {"double", "float", "std::mutex", "std::hash", "uintptr_t",
                                 "getenv", "thread_local", "std::shuffle"}) {
    const std::string banned = " is banned: what decides is pure";
    EXPECT_EQ(purity("core/a.cc", "x = " + name + "(y);\n"),
              Lines{"core/a.cc:1: " + name + banned});
    EXPECT_EQ(purity("sim/a.cc", "x = " + name + "(y);\n"), Lines{"sim/a.cc:1: " + name + banned});
  }
  EXPECT_EQ(purity("proto/a.capnp", "field @0 :Float64;\n").size(), 1U);
}

TEST(Purity, RefusesACallOfAClockOrOfLibcsRandomness) {
  for (const std::string call : {"time(nullptr)", "std::time(nullptr)", "::rand()",
                                 "std::chrono::system_clock::now()", "Clock::now()"}) {
    EXPECT_FALSE(purity("core/a.cc", "const auto x = " + call + ";\n").empty()) << call;
  }
}

TEST(Purity, AllowsAMemberAndAVariableOfABannedCallsName) {
  EXPECT_EQ(purity("core/a.cc", "x = entry.time() + clock->time() + time + now + my::rand();\n"),
            Lines{});
}

TEST(Purity, RefusesAnOrderByPointer) {
  EXPECT_EQ(purity("core/a.cc", "std::map<const Node*, int> a;\n").size(), 1U);
  EXPECT_EQ(purity("core/a.cc", "std::set<Node *> a;\n").size(), 1U);
  EXPECT_EQ(purity("core/a.cc", "std::map<int, Node*> a; std::map<A<B*>, int> b;\n"), Lines{});
}

TEST(Purity, DoesNotReadCommentsAndLiterals) {
  EXPECT_EQ(purity("core/a.cc",
                   "// a float\n/* double\n getenv */ const char* x = \"float \\\" double\";\n"
                   "const char c = '\"'; int n = 1'000; auto r = R\"(float \" double)\";\n"),
            Lines{});
  EXPECT_EQ(purity("core/a.cc", "char c = '\\''; float f; // '\n"),
            Lines{"core/a.cc:1: float is banned: what decides is pure"});
}

TEST(Purity, LeavesTheShellsAlone) {
  EXPECT_EQ(purity("io/a.cc", "#include <thread>\ndouble x = rand();\n"), Lines{});
}

TEST(Purity, AllowsAnExceptionAndRefusesOneThatNobodyNeeds) {
  EXPECT_EQ(purity("sim/a.cc", "double x;\n", "sim/a.cc double a rate for people\n"), Lines{});
  EXPECT_EQ(purity("sim/a.cc", "int x;\n", "# rates\nsim/a.cc double a rate for people\n"),
            Lines{"exceptions:2: sim/a.cc needs no double: remove the line"});
}

TEST(Purity, AllowsEverythingToAProgram) {
  EXPECT_EQ(purity("sim/a.cc", "#include <thread>\ndouble x;\n", "sim/a.cc * the program\n"),
            Lines{});
}

TEST(Purity, RefusesAnExceptionWithoutAReason) {
  Findings findings;
  Exceptions allowed("exceptions", "sim/a.cc double\n", findings);
  EXPECT_EQ(said(findings), Lines{"exceptions:1: an exception is a path, a thing and a reason"});
}

// --- Includes -----------------------------------------------------------------------------------

TEST(Includes, RefusesAnArrowThatGoesTheWrongWay) {
  const auto includes_of = [](const std::string& path, const std::string& header) {
    return includes(path, "#include \"" + header + "\"\n");
  };
  EXPECT_EQ(includes_of("core/raft/a.cc", "core/kv/tree.h"),
            Lines{"core/raft/a.cc:1: core/raft may not depend on core/kv"});
  EXPECT_EQ(includes_of("core/base/a.h", "core/raft/log.h").size(), 1U);
  EXPECT_EQ(includes_of("core/replica.h", "core/codec/record_codec.h").size(), 1U);
  EXPECT_EQ(includes_of("core/codec/a.cc", "proto/peer.capnp.h").size(), 1U);
  EXPECT_EQ(includes_of("sim/a.cc", "io/http_codec.h").size(), 1U);
  EXPECT_EQ(includes_of("io/a.cc", "server/log.h").size(), 1U);
  EXPECT_EQ(includes_of("server/a.cc", "cli/client.h").size(), 1U);
}

TEST(Includes, AllowsTheArrowsOfTheArchitecture) {
  EXPECT_EQ(includes("core/codec/a.cc",
                     "#include \"core/raft/log.h\"\n#include \"proto/record.capnp.h\"\n"),
            Lines{});
  EXPECT_EQ(includes("server/a.cc", "#include \"io/http_server.h\"\n#include \"core/replica.h\"\n"),
            Lines{});
  EXPECT_EQ(includes("tests/sim/a.cc", "#include \"server/log.h\"\n#include <lmdb.h>\n"), Lines{});
}

TEST(Includes, RefusesALibraryInAPartThatMayNotUseIt) {
  EXPECT_EQ(includes("server/a.cc", "#include <lmdb.h>\n"),
            Lines{"server/a.cc:1: server may not include <lmdb.h>"});
  EXPECT_EQ(includes("core/raft/a.cc", "#include <capnp/message.h>\n").size(), 1U);
  EXPECT_EQ(includes("cli/a.cc", "#  include <capnp/rpc-twoparty.h>\n").size(), 1U);
  EXPECT_EQ(includes("server/a.cc", "#include <gtest/gtest.h>\n").size(), 1U);
}

TEST(Includes, RefusesAPathThatDoesNotStartAtTheRoot) {
  EXPECT_EQ(includes("io/a.cc", "#include \"http_codec.h\"\n").size(), 1U);
}

TEST(Includes, WantsASourcesOwnHeaderFirst) {
  const auto with_header = [](const std::string& text) {
    Findings findings;
    Exceptions none("exceptions", "", findings);
    return said(
        check_includes({Source("io/a.h", "#pragma once\n"), Source("io/a.cc", text)}, none));
  };
  EXPECT_EQ(with_header("#include \"io/a.h\"\n#include <vector>\n").size(), 0U);
  EXPECT_EQ(with_header("#include <vector>\n#include \"io/a.h\"\n").size(), 1U);
  EXPECT_EQ(with_header("int x;\n").size(), 1U);
}

TEST(Includes, DoesNotReadComments) {
  EXPECT_EQ(includes("core/base/a.h", "// #include \"io/http_codec.h\"\n"), Lines{});
}

// --- Lengths ------------------------------------------------------------------------------------

TEST(Lengths, RefusesALongFileThatIsNotListed) {
  EXPECT_EQ(lengths("io/a.cc", lines(400)), Lines{});
  EXPECT_EQ(lengths("io/a.cc", lines(401)),
            Lines{"io/a.cc:0: file io/a.cc has 401 lines; the limit is 400"});
}

TEST(Lengths, RefusesALongFunctionThatIsNotListed) {
  EXPECT_EQ(lengths("io/a.cc", "void f() {\n" + lines(58) + "}\n"), Lines{});
  EXPECT_EQ(lengths("io/a.cc", "namespace a {\n\nvoid B::f() const {\n" + lines(59) + "}\n}\n"),
            Lines{"io/a.cc:3: function io/a.cc B::f has 61 lines; the limit is 60"});
}

TEST(Lengths, LetsARatchetStandStillOnly) {
  const std::string text = "void f() {\n" + lines(68) + "}\n";
  EXPECT_EQ(lengths("io/a.cc", text, "# why\nfunction io/a.cc f 70\n"), Lines{});
  EXPECT_EQ(lengths("io/a.cc", text, "function io/a.cc f 69\n"),
            Lines{"io/a.cc:1: function io/a.cc f has 70 lines; the limit is 60, its ratchet is 69 "
                  "and may only fall"});
  EXPECT_EQ(lengths("io/a.cc", text, "function io/a.cc f 71\n"),
            Lines{"ratchets:1: function io/a.cc f has become shorter: lower its ratchet to 70"});
  EXPECT_EQ(lengths("io/a.cc", "void f() {}\n", "function io/a.cc f 70\n"),
            Lines{"ratchets:1: function io/a.cc f is within its limit: remove the line"});
}

TEST(Lengths, RefusesARatchetThatIsNotOne) {
  EXPECT_EQ(lengths("io/a.cc", "int x;\n", "file io/a.cc\n").size(), 1U);
  EXPECT_EQ(lengths("io/a.cc", "int x;\n", "function io/a.cc f many\n").size(), 1U);
}

TEST(Functions, AreFoundInClassesAndTestsAndAfterInitialisers) {
  const Source source("io/a.cc",
                      "#define MACRO(x) \\\n  { x }\n"
                      "namespace a {\n"
                      "template <class T>\nclass B : public C {\n public:\n"
                      "  explicit B(int x) : one_{x}, two_(x) {\n    go();\n  }\n"
                      "  int get() const { return 1; }\n};\n"
                      "TEST(Thing, Works) {\n  if (x) {\n  }\n}\n"
                      "const auto kTable = make({{1, 2},\n {3, 4}});\n"
                      "struct D {\n  int x = 0;\n};\n"
                      "template <class T>\nauto f(T x) -> std::vector<T> {\n  return {};\n}\n"
                      "}\n");
  std::vector<std::string> found;
  for (const Function& function : functions_of(source)) {
    found.push_back(function.name + "@" + std::to_string(function.line) + "+" +
                    std::to_string(function.length));
  }
  EXPECT_EQ(found, (std::vector<std::string>{"B@7+3", "get@10+1", "Thing.Works@12+4", "f@21+4"}));
}

// --- Shape --------------------------------------------------------------------------------------

TEST(Shape, RefusesTabsBlanksAndLongLines) {
  EXPECT_EQ(shape("io/a.cc", "\tint x;\n"), Lines{"io/a.cc:1: a tab or a carriage return"});
  EXPECT_EQ(shape("io/a.cc", "int x;\r\n"), Lines{"io/a.cc:1: a tab or a carriage return"});
  EXPECT_EQ(shape("dev", "true \n"), Lines{"dev:1: blanks at the end"});
  EXPECT_EQ(shape("io/a.cc", std::string(101, 'x') + "\n"), Lines{"io/a.cc:1: over 100 columns"});
}

TEST(Shape, CountsCharactersAndNotBytes) {
  std::string line;
  for (int i = 0; i < 100; ++i) line += "\xc3\xa9";
  EXPECT_EQ(shape("io/a.cc", line + "\n"), Lines{});
}

TEST(Shape, WantsOneEndOfTheLastLine) {
  EXPECT_EQ(shape("io/a.cc", "int x;"), Lines{"io/a.cc:1: the last line has no end"});
  EXPECT_EQ(shape("io/a.cc", "int x;\n\n"), Lines{"io/a.cc:2: an empty line at the end"});
}

TEST(Shape, WantsAHeaderToGuardItself) {
  EXPECT_EQ(shape("io/a.h", "// #pragma once\nint x;\n"),
            Lines{"io/a.h:0: a header without #pragma once"});
  EXPECT_EQ(shape("io/a.h", "#pragma once\n"), Lines{});
}

TEST(Shape, RefusesWordsForUnfinishedWorkAlsoInComments) {
  const std::string word = std::string("TO") + "DO";
  EXPECT_EQ(shape("io/a.cc", "int x;  // " + word + "(me): y\n"),
            Lines{"io/a.cc:1: " + word + ": finish it"});
  EXPECT_EQ(shape("io/a.cc", "int AUTO" + word + "S;\n"), Lines{});
}

}  // namespace
}  // namespace anchor::tidy
