#include "core/kv/command.h"

#include "core/kv/item_codec.h"
#include "core/wire/flat_message.h"
#include "proto/command.capnp.h"

// Commands to the bytes of log entries and back; their answers are in result_codec.cc.
namespace anchor::kv {
namespace {

// --- To bytes -----------------------------------------------------------------------------------

std::uint64_t microseconds_of(Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}

struct ConditionWriter {
  proto::Condition::Builder builder;
  void operator()(const Always&) { builder.setAlways(); }
  void operator()(const IfAbsent&) { builder.setIfAbsent(); }
  void operator()(const IfPresent&) { builder.setIfPresent(); }
  void operator()(const IfModRevision& condition) {
    builder.setIfModRevision(condition.revision.value());
  }
};

void write_range(proto::KeyRange::Builder to, const KeyRange& range) {
  to.setStart(wire::as_data(range.start));
  if (range.end) {
    to.setEnd(wire::as_data(*range.end));
  } else {
    to.setUnbounded();
  }
}

void write_compare(proto::Compare::Builder to, const Compare& compare) {
  to.setKey(wire::as_data(compare.key));
  to.setTarget(static_cast<proto::CompareTarget>(compare.target));
  to.setCompare(static_cast<proto::CompareOperator>(compare.compare));
  if (const auto* bytes = std::get_if<Bytes>(&compare.with)) {
    to.setBytes(wire::as_data(bytes->view()));
  } else {
    to.setNumber(std::get<std::uint64_t>(compare.with));
  }
}

struct OperationWriter {
  proto::Operation::Builder builder;
  void operator()(const PutOperation& put) {
    auto to = builder.initPut();
    to.setKey(wire::as_data(put.key));
    to.setValue(wire::as_data(put.value.view()));
    to.setWantPrevious(put.want_previous);
    to.setLease(put.lease.value());
  }
  void operator()(const DeleteOperation& erase) {
    auto to = builder.initDelete();
    write_range(to.initRange(), erase.range);
    to.setWantPrevious(erase.want_previous);
  }
  void operator()(const GetOperation& get) {
    auto to = builder.initGet();
    write_range(to.initRange(), get.range);
    to.setLimit(get.limit);
    to.setKeysOnly(get.keys_only);
    to.setReverse(get.reverse);
  }
};

void write_operations(capnp::List<proto::Operation>::Builder to,
                      const std::vector<Operation>& operations) {
  for (unsigned i = 0; i < to.size(); ++i) std::visit(OperationWriter{to[i]}, operations[i]);
}

struct CommandWriter {
  proto::Command::Builder builder;
  void operator()(const Put& put) {
    auto to = builder.initPut();
    to.setKey(wire::as_data(put.key));
    to.setValue(wire::as_data(put.value.view()));
    std::visit(ConditionWriter{to.initCondition()}, put.condition);
    to.setWantPrevious(put.want_previous);
    to.setLease(put.lease.value());
    to.setTtlUs(microseconds_of(put.ttl));
  }
  void operator()(const Delete& erase) {
    auto to = builder.initDelete();
    to.setKey(wire::as_data(erase.key));
    std::visit(ConditionWriter{to.initCondition()}, erase.condition);
    to.setWantPrevious(erase.want_previous);
  }
  void operator()(const DeleteRange& erase) { write_range(builder.initDeleteRange(), erase.range); }
  void operator()(const Transaction& transaction) {
    auto to = builder.initTransaction();
    auto compare = to.initCompare(static_cast<unsigned>(transaction.compare.size()));
    for (unsigned i = 0; i < compare.size(); ++i) write_compare(compare[i], transaction.compare[i]);
    write_operations(to.initSuccess(static_cast<unsigned>(transaction.success.size())),
                     transaction.success);
    write_operations(to.initFailure(static_cast<unsigned>(transaction.failure.size())),
                     transaction.failure);
  }
  void operator()(const GrantLease& grant) { builder.setGrantLeaseUs(microseconds_of(grant.ttl)); }
  void operator()(const RevokeLease& revoke) { builder.setRevokeLease(revoke.id.value()); }
  void operator()(const ExpireLeases& expire) {
    auto to = builder.initExpireLeases();
    to.setTerm(expire.term);
    auto leases = to.initLeases(static_cast<unsigned>(expire.leases.size()));
    for (unsigned i = 0; i < leases.size(); ++i) leases.set(i, expire.leases[i].value());
  }
  void operator()(const OpenSession&) { builder.setOpenSession(); }
  void operator()(const CloseSession& close) { builder.setCloseSession(close.id.value()); }
  void operator()(const ExpireSessions& expire) {
    auto to = builder.initExpireSessions(static_cast<unsigned>(expire.sessions.size()));
    for (unsigned i = 0; i < to.size(); ++i) {
      to[i].setSession(expire.sessions[i].id.value());
      to[i].setLastSequence(expire.sessions[i].last_sequence);
    }
  }
  void operator()(const ChangeSettings& change) {
    auto to = builder.initChangeSettings(static_cast<unsigned>(change.values.size()));
    for (unsigned i = 0; i < to.size(); ++i) {
      to[i].setName(wire::as_capnp(change.values[i].name));
      to[i].setValue(change.values[i].value);
    }
  }
  void operator()(const CheckDigest& check) { builder.setCheckDigest(check.number); }
  void operator()(const JudgeDigest& judge) {
    auto to = builder.initJudgeDigest();
    to.setNumber(judge.number);
    if (judge.digest) {
      to.setDigest(*judge.digest);
    } else {
      to.setNoMajority();
    }
  }
};

// --- From bytes ---------------------------------------------------------------------------------

Duration duration_of(std::uint64_t microseconds) {
  return Duration(static_cast<Duration::rep>(microseconds));
}

std::string as_string(capnp::Data::Reader data) {
  return std::string(anchor::as_text(wire::as_view(data)));
}

Bytes as_slice(capnp::Data::Reader data, const Bytes& buffer) {
  const ByteView view = wire::as_view(data);
  return view.empty() ? Bytes() : buffer.slice(view);
}

Result<Condition> read_condition(proto::Condition::Reader from) {
  switch (from.which()) {
    case proto::Condition::ALWAYS:
      return Always{};
    case proto::Condition::IF_ABSENT:
      return IfAbsent{};
    case proto::Condition::IF_PRESENT:
      return IfPresent{};
    case proto::Condition::IF_MOD_REVISION:
      if (from.getIfModRevision() == 0) return failure("a condition names revision zero");
      return IfModRevision{Revision(from.getIfModRevision())};
  }
  return failure("a condition is of a kind that this version does not know");
}

Result<KeyRange> read_range(proto::KeyRange::Reader from) {
  KeyRange range{.start = as_string(from.getStart()), .end = {}};
  switch (from.which()) {
    case proto::KeyRange::UNBOUNDED:
      return range;
    case proto::KeyRange::END:
      range.end = as_string(from.getEnd());
      return range;
  }
  return failure("a range ends in a way that this version does not know");
}

Result<Compare> read_compare(proto::Compare::Reader from, const Bytes& buffer) {
  Compare compare{.key = as_string(from.getKey()),
                  .target = static_cast<CompareTarget>(from.getTarget()),
                  .compare = static_cast<CompareOperator>(from.getCompare()),
                  .with = {}};
  if (compare.target > CompareTarget::kExists || compare.compare > CompareOperator::kGreater) {
    return failure("a comparison is of a kind that this version does not know");
  }
  switch (from.which()) {
    case proto::Compare::NUMBER:
      compare.with = from.getNumber();
      return compare;
    case proto::Compare::BYTES:
      compare.with = as_slice(from.getBytes(), buffer);
      return compare;
  }
  return failure("a comparison is with something that this version does not know");
}

Result<Operation> read_operation(proto::Operation::Reader from, const Bytes& buffer) {
  switch (from.which()) {
    case proto::Operation::PUT: {
      const auto put = from.getPut();
      return PutOperation{.key = as_string(put.getKey()),
                          .value = as_slice(put.getValue(), buffer),
                          .want_previous = put.getWantPrevious(),
                          .lease = LeaseId(put.getLease())};
    }
    case proto::Operation::DELETE: {
      const auto erase = from.getDelete();
      auto range = read_range(erase.getRange());
      if (!range) return std::unexpected(range.error());
      return DeleteOperation{*std::move(range), erase.getWantPrevious()};
    }
    case proto::Operation::GET: {
      const auto get = from.getGet();
      auto range = read_range(get.getRange());
      if (!range) return std::unexpected(range.error());
      return GetOperation{.range = *std::move(range),
                          .limit = get.getLimit(),
                          .keys_only = get.getKeysOnly(),
                          .reverse = get.getReverse()};
    }
  }
  return failure("an operation is of a kind that this version does not know");
}

// Appends what `read` makes of each; the first error ends it.
template <typename List, typename Out, typename Read>
Result<void> read_list(const List& from, std::vector<Out>& to, Read read) {
  to.reserve(from.size());
  for (const auto& each : from) {
    auto element = read(each);
    if (!element) return std::unexpected(element.error());
    to.push_back(*std::move(element));
  }
  return {};
}

Result<Transaction> read_transaction(proto::Transaction::Reader from, const Bytes& buffer) {
  const auto compare = [&](proto::Compare::Reader each) { return read_compare(each, buffer); };
  const auto operation = [&](proto::Operation::Reader each) {
    return read_operation(each, buffer);
  };
  Transaction transaction;
  auto read = read_list(from.getCompare(), transaction.compare, compare);
  if (read) read = read_list(from.getSuccess(), transaction.success, operation);
  if (read) read = read_list(from.getFailure(), transaction.failure, operation);
  if (!read) return std::unexpected(read.error());
  return transaction;
}

Result<CommandBody> read_put(proto::Command::Put::Reader put, const Bytes& buffer) {
  auto condition = read_condition(put.getCondition());
  if (!condition) return std::unexpected(condition.error());
  return Put{.key = as_string(put.getKey()),
             .value = as_slice(put.getValue(), buffer),
             .condition = *condition,
             .want_previous = put.getWantPrevious(),
             .lease = LeaseId(put.getLease()),
             .ttl = duration_of(put.getTtlUs())};
}

Result<CommandBody> read_delete(proto::Command::Delete::Reader erase) {
  auto condition = read_condition(erase.getCondition());
  if (!condition) return std::unexpected(condition.error());
  return Delete{.key = as_string(erase.getKey()),
                .condition = *condition,
                .want_previous = erase.getWantPrevious()};
}

Result<CommandBody> read_judge_digest(proto::DigestCheck::Reader from) {
  switch (from.which()) {
    case proto::DigestCheck::NO_MAJORITY:
      return JudgeDigest{.number = from.getNumber()};
    case proto::DigestCheck::DIGEST:
      return JudgeDigest{from.getNumber(), from.getDigest()};
  }
  return failure("a digest is judged in a way that this version does not know");
}

Result<CommandBody> read_body(proto::Command::Reader from, const Bytes& buffer) {
  switch (from.which()) {
    case proto::Command::PUT:
      return read_put(from.getPut(), buffer);
    case proto::Command::DELETE:
      return read_delete(from.getDelete());
    case proto::Command::DELETE_RANGE: {
      auto range = read_range(from.getDeleteRange());
      if (!range) return std::unexpected(range.error());
      return DeleteRange{*std::move(range)};
    }
    case proto::Command::TRANSACTION: {
      auto transaction = read_transaction(from.getTransaction(), buffer);
      if (!transaction) return std::unexpected(transaction.error());
      return *std::move(transaction);
    }
    case proto::Command::GRANT_LEASE_US:
      return GrantLease{duration_of(from.getGrantLeaseUs())};
    case proto::Command::REVOKE_LEASE:
      return RevokeLease{LeaseId(from.getRevokeLease())};
    case proto::Command::EXPIRE_LEASES: {
      ExpireLeases expire{.term = from.getExpireLeases().getTerm(), .leases = {}};
      for (const std::uint64_t id : from.getExpireLeases().getLeases()) {
        expire.leases.emplace_back(id);
      }
      return expire;
    }
    case proto::Command::OPEN_SESSION:
      return OpenSession{};
    case proto::Command::CLOSE_SESSION:
      return CloseSession{SessionId(from.getCloseSession())};
    case proto::Command::EXPIRE_SESSIONS: {
      ExpireSessions expire;
      for (const auto& idle : from.getExpireSessions()) {
        expire.sessions.push_back({SessionId(idle.getSession()), idle.getLastSequence()});
      }
      return expire;
    }
    case proto::Command::CHANGE_SETTINGS:
      return ChangeSettings{read_setting_values(from.getChangeSettings())};
    case proto::Command::CHECK_DIGEST:
      return CheckDigest{from.getCheckDigest()};
    case proto::Command::JUDGE_DIGEST:
      return read_judge_digest(from.getJudgeDigest());
  }
  return failure("a command is of a kind that this version does not know");
}

Result<Command> read_command(proto::Command::Reader from, const Bytes& buffer) {
  auto body = read_body(from, buffer);
  if (!body) return std::unexpected(body.error());
  Command command(*std::move(body));
  if (from.hasSession()) {
    const auto write = from.getSession();
    command.session = SessionWrite{SessionId(write.getSession()), write.getSequence()};
  }
  return command;
}

}  // namespace

Bytes encode_command(const Command& command) {
  constexpr std::size_t kFixed = 112;
  wire::FlatBuilder builder(0, kFixed + command_bytes(command.body));
  auto root = builder.init_root<proto::Command>();
  std::visit(CommandWriter{root}, command.body);
  if (command.session) {
    auto to = root.initSession();
    to.setSession(command.session->session.value());
    to.setSequence(command.session->sequence);
  }
  return builder.finish();
}

Result<Command> decode_command(const Bytes& bytes) {
  return wire::read_flat<proto::Command>(bytes, read_command);
}

bool only_leaders_propose(const Bytes& command) {
  const auto read = [](proto::Command::Reader from, const Bytes& /*buffer*/) -> Result<bool> {
    return from.isExpireSessions() || from.isExpireLeases() || from.isCheckDigest() ||
           from.isJudgeDigest();
  };
  const auto only_leaders = wire::read_flat<proto::Command>(command, read);
  return only_leaders && *only_leaders;
}

}  // namespace anchor::kv
