#include "core/kv/command.h"

#include "core/kv/item_codec.h"
#include "core/wire/flat_message.h"
#include "proto/command.capnp.h"

namespace anchor::kv {
namespace {

// --- To bytes -----------------------------------------------------------------------------------

struct ConditionWriter {
  proto::Condition::Builder builder;
  void operator()(const Always&) { builder.setAlways(); }
  void operator()(const IfAbsent&) { builder.setIfAbsent(); }
  void operator()(const IfPresent&) { builder.setIfPresent(); }
  void operator()(const IfModRevision& condition) {
    builder.setIfModRevision(condition.revision.value());
  }
};

struct CommandWriter {
  proto::Command::Builder builder;
  void operator()(const Put& put) {
    auto to = builder.initPut();
    to.setKey(wire::as_data(put.key));
    to.setValue(wire::as_data(put.value.view()));
    std::visit(ConditionWriter{to.initCondition()}, put.condition);
    to.setWantPrevious(put.want_previous);
  }
  void operator()(const Delete& erase) {
    auto to = builder.initDelete();
    to.setKey(wire::as_data(erase.key));
    std::visit(ConditionWriter{to.initCondition()}, erase.condition);
    to.setWantPrevious(erase.want_previous);
  }
};

struct ResultWriter {
  proto::CommandResult::Builder builder;
  void operator()(const PutDone& done) {
    auto to = builder.initPutDone();
    to.setRevision(done.revision.value());
    if (done.previous) write_item(to.initPrevious(), *done.previous);
  }
  void operator()(const DeleteDone& done) {
    auto to = builder.initDeleteDone();
    to.setRevision(done.revision.value());
    to.setDeleted(done.deleted);
    if (done.previous) write_item(to.initPrevious(), *done.previous);
  }
  void operator()(const ConditionFailed& failed) {
    auto to = builder.initConditionFailed();
    to.setRevision(failed.revision.value());
    to.setModRevision(failed.mod_revision.value());
  }
  void operator()(const InvalidCommand&) { builder.setInvalidCommand(); }
};

std::size_t previous_size_bytes(const CommandResult& result) {
  const auto size = [](const ItemRef& item) {
    return item ? item->key().size() + item->value().size() : 0;
  };
  if (const auto* put = std::get_if<PutDone>(&result)) return size(put->previous);
  if (const auto* erase = std::get_if<DeleteDone>(&result)) return size(erase->previous);
  return 0;
}

// --- From bytes ---------------------------------------------------------------------------------

std::string as_string(capnp::Data::Reader data) {
  return std::string(anchor::as_text(wire::as_view(data)));
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

Result<Command> read_command(proto::Command::Reader from, const Bytes& buffer) {
  switch (from.which()) {
    case proto::Command::PUT: {
      const auto put = from.getPut();
      auto condition = read_condition(put.getCondition());
      if (!condition) return std::unexpected(condition.error());
      const ByteView value = wire::as_view(put.getValue());
      return Put{.key = as_string(put.getKey()),
                 .value = value.empty() ? Bytes() : buffer.slice(value),
                 .condition = *condition,
                 .want_previous = put.getWantPrevious()};
    }
    case proto::Command::DELETE: {
      const auto erase = from.getDelete();
      auto condition = read_condition(erase.getCondition());
      if (!condition) return std::unexpected(condition.error());
      return Delete{.key = as_string(erase.getKey()),
                    .condition = *condition,
                    .want_previous = erase.getWantPrevious()};
    }
  }
  return failure("a command is of a kind that this version does not know");
}

Result<CommandResult> read_result(proto::CommandResult::Reader from) {
  switch (from.which()) {
    case proto::CommandResult::PUT_DONE: {
      const auto done = from.getPutDone();
      return PutDone{Revision(done.getRevision()),
                     done.hasPrevious() ? read_item(done.getPrevious()) : ItemRef()};
    }
    case proto::CommandResult::DELETE_DONE: {
      const auto done = from.getDeleteDone();
      return DeleteDone{.revision = Revision(done.getRevision()),
                        .deleted = done.getDeleted(),
                        .previous = done.hasPrevious() ? read_item(done.getPrevious()) : ItemRef()};
    }
    case proto::CommandResult::CONDITION_FAILED: {
      const auto failed = from.getConditionFailed();
      return ConditionFailed{Revision(failed.getRevision()), Revision(failed.getModRevision())};
    }
    case proto::CommandResult::INVALID_COMMAND:
      return InvalidCommand{};
  }
  return failure("a result is of a kind that this version does not know");
}

}  // namespace

bool operator==(const CommandResult& a, const CommandResult& b) {
  struct Same {
    const CommandResult& other;
    bool operator()(const PutDone& done) const {
      const auto& with = std::get<PutDone>(other);
      return done.revision == with.revision && equal(done.previous, with.previous);
    }
    bool operator()(const DeleteDone& done) const {
      const auto& with = std::get<DeleteDone>(other);
      return done.revision == with.revision && done.deleted == with.deleted &&
             equal(done.previous, with.previous);
    }
    bool operator()(const ConditionFailed& failed) const {
      const auto& with = std::get<ConditionFailed>(other);
      return failed.revision == with.revision && failed.mod_revision == with.mod_revision;
    }
    bool operator()(const InvalidCommand&) const { return true; }
  };
  return a.index() == b.index() && std::visit(Same{b}, a);
}

Bytes encode_command(const Command& command) {
  constexpr std::size_t kFixed = 80;
  std::size_t size = kFixed;
  if (const auto* put = std::get_if<Put>(&command)) {
    size += put->key.size() + put->value.size();
  } else {
    size += std::get<Delete>(command).key.size();
  }
  wire::FlatBuilder builder(0, size);
  std::visit(CommandWriter{builder.init_root<proto::Command>()}, command);
  return builder.finish();
}

Result<Command> decode_command(const Bytes& bytes) {
  return wire::read_flat<proto::Command>(bytes, read_command);
}

Bytes encode_result(const CommandResult& result) {
  constexpr std::size_t kFixed = 128;
  wire::FlatBuilder builder(0, kFixed + previous_size_bytes(result));
  std::visit(ResultWriter{builder.init_root<proto::CommandResult>()}, result);
  return builder.finish();
}

Result<CommandResult> decode_result(const Bytes& bytes) {
  return wire::read_flat<proto::CommandResult>(
      bytes, [](proto::CommandResult::Reader from, const Bytes&) { return read_result(from); });
}

}  // namespace anchor::kv
