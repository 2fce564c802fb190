#include "server/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

namespace anchor::server {
namespace {

// Thousands of lines; beyond it, whoever reads the log does not keep up.
constexpr std::size_t kQueueBytes = 1 << 20;
// For the last words before the process ends without cleaning up.
constexpr Duration kFlushPatience = 1s;

std::string now_rfc3339() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto since = now.time_since_epoch() % std::chrono::seconds(1);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::string milliseconds = std::to_string(1000 + ms).substr(1);
  return std::string(text.data(), length) + "." + milliseconds + "Z";
}

// logfmt quotes what holds more than a word; control characters never reach a terminal as they are.
std::string logfmt_value(std::string_view value) {
  const auto plain = [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"' && c != '='; };
  if (!value.empty() && std::ranges::all_of(value, plain)) return std::string(value);
  return nlohmann::json(value).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

std::string_view level_name(LogLevel level) {
  constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warn", "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

class LineSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit LineSink(LineWriter& writer) : writer_(writer) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    writer_.write({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  LineWriter& writer_;
};

LogFormat settled(LogFormat format) {
  if (format != LogFormat::kAuto) return format;
  return isatty(STDERR_FILENO) != 0 ? LogFormat::kLogfmt : LogFormat::kJson;
}

}  // namespace

Fields& Fields::add(std::string_view name, std::string_view value) {
  fields_.push_back({std::string(name), std::string(value), false});
  return *this;
}

Fields& Fields::add(std::string_view name, std::uint64_t value) {
  fields_.push_back({std::string(name), std::to_string(value), true});
  return *this;
}

std::string format_line(LogFormat format, std::string_view time, std::string_view level,
                        std::string_view node, std::string_view message, const Fields& fields) {
  if (format == LogFormat::kJson) {
    nlohmann::ordered_json line;
    line["time"] = time;
    line["level"] = level;
    line["node"] = node;
    line["message"] = message;
    for (const Fields::Field& field : fields.all()) {
      if (field.number) {
        line[field.name] = std::stoull(field.value);
      } else {
        line[field.name] = field.value;
      }
    }
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  std::string line = "time=" + std::string(time) + " level=" + std::string(level) +
                     " node=" + logfmt_value(node) + " message=" + logfmt_value(message);
  for (const Fields::Field& field : fields.all()) {
    line += " " + field.name + "=" + (field.number ? field.value : logfmt_value(field.value));
  }
  return line;
}

Log::Log(LogLevel level, LogFormat format, std::string node)
    : format_(settled(format)),
      node_(std::move(node)),
      writer_(STDERR_FILENO, kQueueBytes, [format = format_, name = node_](std::uint64_t count) {
        return format_line(format, now_rfc3339(), level_name(LogLevel::kWarn), name,
                           "lines of this log were lost, since nobody took them in",
                           Fields().add("count", count)) +
               "\n";
      }) {
  logger_ = std::make_unique<spdlog::logger>("anchor", std::make_shared<LineSink>(writer_));
  logger_->set_level(spdlog_level(level));
}

Log::~Log() = default;

void Log::debug(std::string_view message, const Fields& fields) {
  write(LogLevel::kDebug, message, fields);
}
void Log::info(std::string_view message, const Fields& fields) {
  write(LogLevel::kInfo, message, fields);
}
void Log::warn(std::string_view message, const Fields& fields) {
  write(LogLevel::kWarn, message, fields);
}
void Log::error(std::string_view message, const Fields& fields) {
  write(LogLevel::kError, message, fields);
}

void Log::flush() {
  writer_.flush(kFlushPatience);
}

void Log::write(LogLevel level, std::string_view message, const Fields& fields) {
  if (!logger_->should_log(spdlog_level(level))) return;
  const std::string line =
      format_line(format_, now_rfc3339(), level_name(level), node_, message, fields);
  logger_->log(spdlog_level(level), spdlog::string_view_t(line));
}

}  // namespace anchor::server
