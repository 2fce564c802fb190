#include "cli/bench_run.h"

#include <uv.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include "cli/bench_connection.h"
#include "cli/bench_fill.h"
#include "cli/bench_schedule.h"
#include "core/base/assert.h"
#include "io/socket_address.h"
#include "io/uv_support.h"

namespace anchor::cli {
namespace {

constexpr std::uint64_t kTickMs = 50;
constexpr std::uint64_t kScheduleMs = 1;
constexpr std::size_t kReadBufferBytes = 64 << 10;
// Filling is not measured: it may keep more in flight than a few clients would.
constexpr std::size_t kFillInFlight = 128;

enum class Phase : std::uint8_t { kFill, kWarmup, kMeasure, kDrain, kDone };

// One connection and the clients that share it.
struct Lane {
  std::unique_ptr<BenchConnection> connection{};
  std::size_t clients = 0;
  // Clients whose request has just failed rest until the next tick: a loop of failures at full
  // speed would measure nothing, and hinder the recovery.
  std::size_t resting = 0;
  std::size_t endpoint = 0;
};

class BenchRun final : public BenchConnection::Observer {
 public:
  BenchRun(uv_loop_t* loop, Duration timeout, const BenchCommand& plan, const BenchReports& reports)
      : loop_(loop),
        timeout_(timeout),
        plan_(plan),
        reports_(reports),
        workload_(plan),
        fill_(workload_.needs_filling() ? plan.keys : 0) {
    if (plan.rate) schedule_.emplace(*plan.rate);
  }

  std::expected<BenchResult, Failure> run(std::vector<BenchEndpoint> endpoints);

  void opened(BenchConnection& connection) override;
  void answered(BenchConnection& connection, const BenchConnection::InFlight& request,
                const io::HttpReply& reply, Instant now) override;
  void caught_up(BenchConnection& connection, Instant now) override;
  void lost(BenchConnection& connection, std::string_view cause,
            const std::deque<BenchConnection::InFlight>& unanswered) override;

 private:
  void open_lanes();
  void start_timers();
  void begin(Phase phase);
  void phase_ended();
  void interrupted();
  void stop(Failure failure);
  void finish();
  void finish_if_drained();

  void tick();
  void report_progress(Instant now) const;
  void report_connection(const Lane& lane, std::string_view state) const;
  // Lets the lane's clients send what they may.
  void pump(Lane& lane, Instant now);
  // Sends what is due on whichever lanes have a client that is free.
  void send_due();
  std::size_t clients_of(const Lane& lane) const;
  bool measured() const { return phase_ == Phase::kMeasure || phase_ == Phase::kDrain; }
  // Under one of the result's counts.
  void count_failure(std::uint64_t& count, std::string problem);

  uv_loop_t* loop_;
  const Duration timeout_;
  const BenchCommand plan_;
  const BenchReports& reports_;
  BenchWorkload workload_;
  BenchFill fill_;
  std::optional<BenchSchedule> schedule_;
  std::size_t next_lane_ = 0;
  std::vector<BenchEndpoint> endpoints_;
  std::vector<Lane> lanes_;
  std::array<char, kReadBufferBytes> read_buffer_;

  uv_timer_t tick_timer_{};
  uv_timer_t phase_timer_{};
  uv_timer_t schedule_timer_{};
  uv_signal_t interrupt_{};

  Phase phase_ = Phase::kFill;
  Instant phase_began_{};
  Instant last_filled_{};
  bool ever_opened_ = false;
  std::size_t failed_opens_ = 0;
  std::string last_problem_;

  BenchResult result_;
  std::optional<Failure> failure_;
};

std::expected<BenchResult, Failure> BenchRun::run(std::vector<BenchEndpoint> endpoints) {
  endpoints_ = std::move(endpoints);
  start_timers();
  begin(fill_.done() ? Phase::kWarmup : Phase::kFill);
  open_lanes();
  uv_run(loop_, UV_RUN_DEFAULT);
  if (failure_) return std::unexpected(std::move(*failure_));
  result_.last_problem = last_problem_;
  return std::move(result_);
}

void BenchRun::open_lanes() {
  lanes_.resize(plan_.connections);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    lane.connection = std::make_unique<BenchConnection>(i, loop_, *this, workload_, read_buffer_);
    lane.clients = plan_.clients / lanes_.size() + (i < plan_.clients % lanes_.size() ? 1 : 0);
    lane.endpoint = i % endpoints_.size();
  }
  // Only now: one that fails at once may end everything.
  for (Lane& lane : lanes_) {
    if (phase_ != Phase::kDone) lane.connection->open(endpoints_[lane.endpoint]);
  }
}

void BenchRun::start_timers() {
  tick_timer_.data = phase_timer_.data = schedule_timer_.data = interrupt_.data = this;
  uv_timer_init(loop_, &phase_timer_);
  uv_timer_init(loop_, &schedule_timer_);
  uv_timer_init(loop_, &tick_timer_);
  uv_timer_start(
      &tick_timer_, [](uv_timer_t* timer) { static_cast<BenchRun*>(timer->data)->tick(); }, kTickMs,
      kTickMs);
  uv_signal_init(loop_, &interrupt_);
  uv_signal_start(
      &interrupt_,
      [](uv_signal_t* signal, int) { static_cast<BenchRun*>(signal->data)->interrupted(); },
      SIGINT);
}

// --- Phases -------------------------------------------------------------------------------------

void BenchRun::begin(Phase phase) {
  phase_ = phase;
  phase_began_ = last_filled_ = bench_now();
  if (phase != Phase::kWarmup && phase != Phase::kMeasure) return;
  const Duration length = phase == Phase::kWarmup ? plan_.warmup : plan_.duration;
  uv_update_time(loop_);
  uv_timer_start(
      &phase_timer_, [](uv_timer_t* timer) { static_cast<BenchRun*>(timer->data)->phase_ended(); },
      static_cast<std::uint64_t>(length / 1ms), 0);
  if (!schedule_ || phase != Phase::kWarmup) return;
  schedule_->begin(phase_began_);
  uv_timer_start(
      &schedule_timer_, [](uv_timer_t* timer) { static_cast<BenchRun*>(timer->data)->send_due(); },
      kScheduleMs, kScheduleMs);
}

void BenchRun::phase_ended() {
  if (phase_ == Phase::kWarmup) return begin(Phase::kMeasure);
  ANCHOR_ASSERT(phase_ == Phase::kMeasure);
  result_.elapsed = bench_now() - phase_began_;
  begin(Phase::kDrain);
  finish_if_drained();
}

void BenchRun::interrupted() {
  result_.interrupted = true;
  if (phase_ == Phase::kMeasure) result_.elapsed = bench_now() - phase_began_;
  finish();
}

void BenchRun::stop(Failure failure) {
  failure_ = std::move(failure);
  finish();
}

void BenchRun::finish_if_drained() {
  const auto idle = [](const Lane& lane) { return lane.connection->in_flight() == 0; };
  if (phase_ == Phase::kDrain && std::ranges::all_of(lanes_, idle)) finish();
}

void BenchRun::finish() {
  if (phase_ == Phase::kDone) return;
  phase_ = Phase::kDone;
  for (Lane& lane : lanes_) lane.connection->close();
  uv_close(io::as_uv_handle(phase_timer_), nullptr);
  uv_close(io::as_uv_handle(schedule_timer_), nullptr);
  uv_close(io::as_uv_handle(tick_timer_), nullptr);
  uv_close(io::as_uv_handle(interrupt_), nullptr);
}

// --- Requests and answers -----------------------------------------------------------------------

std::size_t BenchRun::clients_of(const Lane& lane) const {
  switch (phase_) {
    case Phase::kFill:
      return std::max(lane.clients, (kFillInFlight + lanes_.size() - 1) / lanes_.size());
    case Phase::kWarmup:
    case Phase::kMeasure:
      return lane.clients;
    case Phase::kDrain:
    case Phase::kDone:
      break;
  }
  return 0;
}

void BenchRun::pump(Lane& lane, Instant now) {
  BenchConnection& connection = *lane.connection;
  if (!connection.is_open()) return;
  if (schedule_ && phase_ != Phase::kFill) return send_due();
  const std::size_t clients = clients_of(lane);
  while (connection.in_flight() + lane.resting < clients) {
    if (phase_ == Phase::kFill) {
      const auto key = fill_.next();
      if (!key) break;
      connection.send(workload_.fill(*key), now, now);
    } else {
      connection.send(workload_.draw(), now, now);
    }
  }
  connection.flush();
}

void BenchRun::send_due() {
  const Instant now = bench_now();
  const auto free = [&](const Lane& lane) {
    return lane.connection->is_open() && lane.connection->in_flight() < clients_of(lane);
  };
  for (std::size_t busy = 0; busy < lanes_.size(); next_lane_ = (next_lane_ + 1) % lanes_.size()) {
    Lane& lane = lanes_[next_lane_];
    if (!free(lane)) {
      ++busy;
      continue;
    }
    const auto due = schedule_->take(now);
    if (!due) break;
    busy = 0;
    lane.connection->send(workload_.draw(), *due, now);
  }
  for (Lane& lane : lanes_) lane.connection->flush();
}

void BenchRun::opened(BenchConnection& connection) {
  ever_opened_ = true;
  Lane& lane = lanes_[connection.id()];
  report_connection(lane, "open");
  pump(lane, bench_now());
}

void BenchRun::answered(BenchConnection& connection, const BenchConnection::InFlight& request,
                        const io::HttpReply& reply, Instant now) {
  const int status = reply.status;
  const bool success = status / 100 == 2;
  if (!success) {
    ++lanes_[connection.id()].resting;
    if (phase_ == Phase::kFill) fill_.again(request.request.key);
    const std::string problem = "status " + std::to_string(status);
    if (status == 503 || status == 429) return count_failure(result_.refused, problem);
    return count_failure(
        status == 504 && request.request.writes() ? result_.unknown : result_.errors, problem);
  }
  if (phase_ == Phase::kFill) {
    workload_.filled(request.request, reply);
    fill_.filled();
    last_filled_ = now;
  } else if (measured()) {
    // A request that takes until after the end is part of the picture, but not of the throughput.
    if (phase_ == Phase::kMeasure) ++result_.ops;
    result_.latencies.record(now - request.due);
  }
}

void BenchRun::caught_up(BenchConnection& connection, Instant now) {
  if (phase_ == Phase::kFill && fill_.done()) {
    begin(Phase::kWarmup);
    for (Lane& lane : lanes_) pump(lane, now);
    return;
  }
  pump(lanes_[connection.id()], now);
  finish_if_drained();
}

void BenchRun::lost(BenchConnection& connection, std::string_view cause,
                    const std::deque<BenchConnection::InFlight>& unanswered) {
  Lane& lane = lanes_[connection.id()];
  const std::string problem = endpoints_[lane.endpoint].host + ": " + std::string(cause);
  last_problem_ = problem;
  report_connection(lane, cause);
  for (const auto& request : unanswered) {
    if (phase_ == Phase::kFill) fill_.again(request.request.key);
    count_failure(request.request.writes() ? result_.unknown : result_.errors, problem);
  }
  lane.endpoint = (lane.endpoint + 1) % endpoints_.size();
  if (!ever_opened_ && ++failed_opens_ >= lanes_.size() * endpoints_.size()) {
    return stop({ExitCode::kUnreachable, problem,
                 "is a node running there? --endpoints or ANCHOR_ENDPOINTS says where to ask"});
  }
  finish_if_drained();
}

void BenchRun::count_failure(std::uint64_t& count, std::string problem) {
  last_problem_ = std::move(problem);
  if (measured()) ++count;
}

void BenchRun::tick() {
  const Instant now = bench_now();
  if (phase_ == Phase::kFill && now - last_filled_ > timeout_) {
    return stop({ExitCode::kFailed, "the keys cannot be filled: " + last_problem_,
                 "'anchorctl status' shows the nodes"});
  }
  for (Lane& lane : lanes_) {
    BenchConnection& connection = *lane.connection;
    const auto since = connection.waiting_since();
    if (since && now - *since > timeout_) connection.fail("no answer in time");
    // That may have been the last thing to wait for.
    if (phase_ == Phase::kDone) return;
    lane.resting = 0;
    if (connection.closed() && phase_ != Phase::kDrain) {
      connection.open(endpoints_[lane.endpoint]);
    } else {
      pump(lane, now);
    }
    if (phase_ == Phase::kDone) return;
  }
  report_progress(now);
}

void BenchRun::report_progress(Instant now) const {
  const auto percent_of = [&](Duration length) {
    const auto part = (now - phase_began_) * 100 / std::max(length, Duration(1));
    return static_cast<unsigned>(std::clamp<Duration::rep>(part, 0, 100));
  };
  switch (phase_) {
    case Phase::kFill:
      return reports_.progress({"fill", fill_.percent(), 0});
    case Phase::kWarmup:
      return reports_.progress({"warm-up", percent_of(plan_.warmup), 0});
    case Phase::kMeasure:
      return reports_.progress({"measure", percent_of(plan_.duration), result_.ops});
    case Phase::kDrain:
    case Phase::kDone:
      break;
  }
}

void BenchRun::report_connection(const Lane& lane, std::string_view state) const {
  std::string line = "connection " + std::to_string(lane.connection->id() + 1);
  line.append(" to http://").append(endpoints_[lane.endpoint].host).append(": ").append(state);
  reports_.connection(line);
}

std::expected<BenchEndpoint, Failure> resolve(uv_loop_t* loop, const std::string& endpoint) {
  const auto parts = io::parse_host_port(endpoint);
  ANCHOR_ASSERT(parts.has_value());  // the command line's parser saw to it
  const auto address = io::resolve_now(loop, *parts);
  if (!address) {
    return std::unexpected(
        Failure{ExitCode::kUnreachable, endpoint + ": " + address.error().message});
  }
  return BenchEndpoint{.host = endpoint, .address = *address};
}

}  // namespace

std::expected<BenchResult, Failure> run_bench_load(const GlobalOptions& global,
                                                   const BenchCommand& plan,
                                                   const BenchReports& reports) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  const auto run = [&]() -> std::expected<BenchResult, Failure> {
    std::vector<BenchEndpoint> endpoints;
    for (const std::string& endpoint : global.endpoints) {
      auto resolved = resolve(&loop, endpoint);
      if (!resolved) return std::unexpected(std::move(resolved.error()));
      endpoints.push_back(std::move(*resolved));
    }
    return BenchRun(&loop, global.timeout, plan, reports).run(std::move(endpoints));
  };
  auto result = run();
  const int closed = uv_loop_close(&loop);
  ANCHOR_ASSERT(closed == 0);
  return result;
}

}  // namespace anchor::cli
