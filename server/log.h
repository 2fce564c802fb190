#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/line_writer.h"
#include "server/options.h"

namespace spdlog {
class logger;
}

namespace anchor::server {

// What belongs to a line, in order. A value is text or a number.
class Fields {
 public:
  Fields& add(std::string_view name, std::string_view value);
  Fields& add(std::string_view name, std::uint64_t value);

  struct Field {
    std::string name;
    std::string value;
    bool number = false;
  };
  const std::vector<Field>& all() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

// The log on stderr: one line an event, logfmt for people or JSON for programs. It never blocks:
// lines that stderr does not take in time are lost, and counted.
class Log {
 public:
  // kAuto: logfmt if stderr is a terminal.
  Log(LogLevel level, LogFormat format, std::string node);
  ~Log();

  void debug(std::string_view message, const Fields& fields = {});
  void info(std::string_view message, const Fields& fields = {});
  void warn(std::string_view message, const Fields& fields = {});
  void error(std::string_view message, const Fields& fields = {});

  // Waits a moment until all is written: before the process ends at once.
  void flush();

 private:
  void write(LogLevel level, std::string_view message, const Fields& fields);

  const LogFormat format_;
  const std::string node_;
  LineWriter writer_;
  std::unique_ptr<spdlog::logger> logger_;
};

// A line without its end, for a test and for Log; `time` is in RFC 3339.
std::string format_line(LogFormat format, std::string_view time, std::string_view level,
                        std::string_view node, std::string_view message, const Fields& fields);

}  // namespace anchor::server
