// anchor: a server of the cluster.

#include <iostream>
#include <string>
#include <vector>

#include "server/log.h"
#include "server/options.h"
#include "server/server.h"
#include "server/start_up.h"

extern char** environ;

namespace {

anchor::server::Environment environment() {
  anchor::server::Environment variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

int ends(const anchor::server::Exit& exit) {
  (exit.code == 0 ? std::cout : std::cerr) << exit.text << std::flush;
  return exit.code;
}

}  // namespace

int main(int argc, char** argv) {
  namespace server = anchor::server;
  const auto options = server::parse_options({argv, argv + argc}, environment());
  if (!options) return ends(options.error());
  auto begun = server::start_up(*options);
  if (!begun) return ends(begun.error());
  server::Log log(options->log_level, options->log_format, begun->id);
  server::Server process(*options, std::move(*begun), log);
  return process.run();
}
