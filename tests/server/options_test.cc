#include "server/options.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/io/temporary_directory.h"

namespace anchor::server {
namespace {

using Arguments = std::vector<std::string>;

std::expected<Options, Exit> parse(Arguments arguments, const Environment& environment = {}) {
  arguments.insert(arguments.begin(), "anchor");
  return parse_options(arguments, environment);
}

// The first line of what is said about options that do not do.
std::string refusal(const Arguments& arguments, const Environment& environment = {}) {
  const auto options = parse(arguments, environment);
  if (options) return "accepted";
  EXPECT_EQ(options.error().code, 2);
  return options.error().text.substr(0, options.error().text.find('\n'));
}

// A file of options.
class OptionsFile {
 public:
  explicit OptionsFile(const std::string& text) { std::ofstream(path()) << text; }
  std::string path() const { return directory_.path_of("anchor.toml"); }

 private:
  io::TemporaryDirectory directory_;
};

TEST(Options, DefaultsAreThoseThatAreDocumented) {
  const auto options = parse({"--id", "n1"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->port, 9001);
  EXPECT_EQ(options->http_port, 10001);
  EXPECT_EQ(options->listen, "127.0.0.1");
  EXPECT_EQ(options->http_listen, "127.0.0.1");
  EXPECT_EQ(options->advertise, "127.0.0.1:9001");
  EXPECT_EQ(options->http_advertise, "127.0.0.1:10001");
  EXPECT_EQ(options->dir, "./data/n1");
  EXPECT_EQ(options->election_timeout, 300ms);
  EXPECT_EQ(options->heartbeat_interval, 50ms);
  EXPECT_TRUE(options->peers.empty());
  EXPECT_FALSE(options->bootstrap_expect);
}

TEST(Options, IdIsTheHostsNameButCountsAsNotGiven) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->id.empty());
  EXPECT_FALSE(options->id_given);
  EXPECT_EQ(options->dir, "./data/" + options->id);
  EXPECT_TRUE(parse({"--id", "n1"})->id_given);
}

TEST(Options, AddressesFollowFromEachOther) {
  const auto options = parse({"--listen", "0.0.0.0", "--advertise", "db1:7000", "--port", "7001"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->http_listen, "0.0.0.0");
  EXPECT_EQ(options->advertise, "db1:7000");
  EXPECT_EQ(options->http_advertise, "db1:8001");
  EXPECT_EQ(parse({"--http-advertise", "db1:80"})->http_advertise, "db1:80");
}

// It would be stored with the cluster, for good.
TEST(Options, AddressThatNobodyCanConnectToIsNotAdvertised) {
  for (const char* wildcard : {"0.0.0.0", "::"}) {
    EXPECT_EQ(
        refusal({"--listen", wildcard}),
        "anchor: --listen is a wildcard: give --advertise HOST:PORT, where others connect to");
  }
  EXPECT_EQ(refusal({"--advertise", "0.0.0.0:1"}),
            "anchor: --advertise: '0.0.0.0:1' is a wildcard, to which nobody can connect");
  EXPECT_EQ(refusal({"--http-advertise", "[::]:1"}),
            "anchor: --http-advertise: '[::]:1' is a wildcard, to which nobody can connect");
  EXPECT_EQ(refusal({"--http-listen", "0.0.0.0"}),
            "anchor: --http-listen is a wildcard: give --http-advertise HOST:PORT, where clients "
            "connect to");
}

TEST(Options, ClientsAreTakenToWhereHttpListens) {
  EXPECT_EQ(parse({"--http-listen", "10.0.0.1"})->http_advertise, "10.0.0.1:10001");
  EXPECT_EQ(parse({"--http-listen", "0.0.0.0", "--advertise", "db1:7000"})->http_advertise,
            "db1:10001");
}

TEST(Options, Ipv6AddressIsAdvertisedInBrackets) {
  const auto options = parse({"--listen", "::1"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->advertise, "[::1]:9001");
  EXPECT_EQ(options->http_advertise, "[::1]:10001");
}

TEST(Options, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const OptionsFile file("port = 1001\nid = 'file'\nhttp-port = 5\nlog-level = 'warn'\n");
  const auto options =
      parse({"--config", file.path(), "--port", "3003"},
            {{"ANCHOR_PORT", "2002"}, {"ANCHOR_ID", "environment"}, {"ANCHOR_HTTP_PORT", "6"}});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->port, 3003);
  EXPECT_EQ(options->id, "environment");
  EXPECT_EQ(options->http_port, 6);
  EXPECT_EQ(options->log_level, LogLevel::kWarn);
  EXPECT_EQ(options->heartbeat_interval, 50ms);
}

TEST(Options, FoundersFlagsSeedTheReplicatedSettings) {
  const auto options = parse({"--quota-bytes", "2GiB", "--session-ttl", "30s", "--session-count",
                              "7", "--history-revisions", "0", "--history-bytes", "1MiB"});
  ASSERT_TRUE(options) << options.error().text;
  kv::Settings settings;
  ASSERT_TRUE(kv::change(settings, options->first_settings));
  EXPECT_EQ(settings.quota_bytes, std::uint64_t{2} << 30);
  EXPECT_EQ(settings.session_ttl_ms, 30'000u);
  EXPECT_EQ(settings.session_count, 7u);
  EXPECT_EQ(settings.history_revisions, 0u);
  EXPECT_EQ(settings.history_bytes, 1u << 20);
  EXPECT_TRUE(parse({})->first_settings.empty());
  EXPECT_EQ(refusal({"--quota-bytes", "1"}),
            "anchor: --quota-bytes: it must be from 4096 to 17592186044416");
}

TEST(Options, FileIsNamedByFlagOrEnvironment) {
  const OptionsFile named("id = 'by-flag'\n");
  const OptionsFile other("id = 'by-environment'\n");
  const Environment environment{{"ANCHOR_CONFIG", other.path()}};
  EXPECT_EQ(parse({}, environment)->id, "by-environment");
  EXPECT_EQ(parse({"--config", named.path()}, environment)->id, "by-flag");
}

TEST(Options, FileHoldsTextNumbersAndLists) {
  const OptionsFile file(
      "port = 7001\npeers = ['a:1', 'b:2']\nelection-timeout = '2s'\nbootstrap-expect = 3\n");
  const auto options = parse({"--config", file.path()});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->port, 7001);
  EXPECT_EQ(options->peers, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(options->election_timeout, 2s);
  EXPECT_EQ(options->bootstrap_expect, 3u);
}

TEST(Options, FlagTakesItsValueEitherWay) {
  EXPECT_EQ(parse({"--port", "7001"})->port, 7001);
  EXPECT_EQ(parse({"--port=7001"})->port, 7001);
  EXPECT_EQ(parse({"--peers=a:1,[::1]:2"})->peers, (std::vector<std::string>{"a:1", "[::1]:2"}));
}

TEST(Options, DurationsHaveUnits) {
  const auto election_timeout = [](const char* text) {
    return parse({"--election-timeout", text})->election_timeout;
  };
  EXPECT_EQ(election_timeout("450ms"), 450ms);
  EXPECT_EQ(election_timeout("3s"), 3s);
  EXPECT_EQ(election_timeout("1m"), 60s);
  EXPECT_EQ(parse({"--heartbeat-interval", "1500us"})->heartbeat_interval, 1500us);
  for (const char* text : {"300", "ms", "", "0.5s", "-1s", "300 ms", "300msx", "99999999999s"}) {
    EXPECT_TRUE(refusal({std::string("--election-timeout=") + text})
                    .starts_with("anchor: --election-timeout: "))
        << text;
  }
}

TEST(Options, ErrorNamesTheFlagTheVariableOrTheKey) {
  const OptionsFile file("port = 70000\n");
  EXPECT_TRUE(refusal({"--port", "0"}).starts_with("anchor: --port: '0'"));
  EXPECT_TRUE(refusal({}, {{"ANCHOR_PORT", "x"}}).starts_with("anchor: ANCHOR_PORT: 'x'"));
  EXPECT_TRUE(
      refusal({"--config", file.path()}).starts_with("anchor: " + file.path() + ": port: '70000'"));
}

TEST(Options, ValuesOutOfRangeAreRefused) {
  const auto refuses = [](const Arguments& arguments) {
    return refusal(arguments).starts_with("anchor: " + arguments[0] + ": ");
  };
  EXPECT_TRUE(refuses({"--id", "two words"}));
  EXPECT_TRUE(refuses({"--id", std::string(64, 'n')}));
  EXPECT_TRUE(refuses({"--id", ""}));
  EXPECT_TRUE(refuses({"--id", ".."}));
  EXPECT_TRUE(refusal({"--id=-n1"}).starts_with("anchor: --id: "));
  EXPECT_TRUE(refuses({"--http-port", "65536"}));
  EXPECT_TRUE(refuses({"--advertise", "host"}));
  EXPECT_TRUE(refuses({"--advertise", "host:0"}));
  EXPECT_TRUE(refuses({"--advertise", "::1:9001"}));
  EXPECT_TRUE(refuses({"--peers", "a:1,,b:2"}));
  EXPECT_TRUE(refuses({"--bootstrap-expect", "0"}));
  EXPECT_TRUE(refuses({"--bootstrap-expect", "10"}));
  EXPECT_TRUE(refuses({"--log-level", "loud"}));
  EXPECT_TRUE(refuses({"--log-format", "xml"}));
  EXPECT_TRUE(refuses({"--listen", ""}));
}

TEST(Options, OptionsThatContradictEachOtherAreRefused) {
  EXPECT_TRUE(refusal({"--port", "9001", "--http-port", "9001"}).contains("--http-port"));
  EXPECT_TRUE(refusal({"--port", "65000"}).contains("--http-port"));
  EXPECT_TRUE(refusal({"--heartbeat-interval", "100ms"}).contains("--heartbeat-interval"));
  EXPECT_TRUE(refusal({"--bootstrap-expect", "3"}).contains("--peers"));
}

TEST(Options, RepeatedFlagIsRefused) {
  EXPECT_TRUE(refusal({"--id", "a", "--id", "b"}).starts_with("anchor: --id: "));
  EXPECT_TRUE(refusal({"--port=1", "--port=1"}).starts_with("anchor: --port: "));
}

TEST(Options, UnknownFlagIsRefusedByName) {
  EXPECT_TRUE(refusal({"--prot", "9001"}).contains("--prot"));
  EXPECT_TRUE(refusal({"-p"}).contains("-p"));
  EXPECT_TRUE(refusal({"stray"}).contains("stray"));
  EXPECT_TRUE(refusal({"--id"}).contains("--id"));
}

TEST(Options, UnknownKeyIsRefusedWithItsLine) {
  const OptionsFile file("# ports\nport = 7001\nprot = 7002\n");
  EXPECT_EQ(refusal({"--config", file.path()}),
            "anchor: " + file.path() + ": line 3: unknown key 'prot'");
}

TEST(Options, MalformedFileIsRefusedWithTheLine) {
  const OptionsFile unfinished("port = 7001\nid = \n");
  EXPECT_TRUE(refusal({"--config", unfinished.path()}).contains(": line 2: "));
  const OptionsFile repeated("port = 7001\nport = 7002\n");
  EXPECT_TRUE(refusal({"--config", repeated.path()}).contains(": line 2: "));
  const OptionsFile fraction("port = 7001.5\n");
  EXPECT_TRUE(refusal({"--config", fraction.path()}).contains(": port: "));
}

TEST(Options, FileThatCannotBeReadIsNamed) {
  EXPECT_TRUE(refusal({"--config", "/nowhere/anchor.toml"}).contains("/nowhere/anchor.toml"));
  EXPECT_EQ(refusal({"--config", ""}), "anchor: the file '' cannot be read");
  EXPECT_EQ(refusal({}, {{"ANCHOR_CONFIG", ""}}), "anchor: the file '' cannot be read");
}

TEST(Options, HelpAndVersionEndWithZero) {
  const auto help = parse({"--help"});
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().code, 0);
  for (const char* flag :
       {"--id", "--port", "--dir", "--peers", "--bootstrap-expect", "--config"}) {
    EXPECT_TRUE(help.error().text.contains(flag)) << flag;
  }
  const auto version = parse({"--version"});
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, 0);
  EXPECT_TRUE(version.error().text.starts_with("anchor "));
}

}  // namespace
}  // namespace anchor::server
