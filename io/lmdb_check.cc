#include "io/lmdb_check.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "io/file.h"
#include "io/lmdb_format.h"

namespace anchor::io {
namespace lmdb_format {
namespace {

// A damaged page count must not make the check allocate without bound: 1 TiB in pages of 4 KiB.
constexpr PageNumber kLargestPageCount = PageNumber{1} << 28;

// Requires: offset + sizeof(T) <= bytes.size().
template <typename T>
T load(ByteView bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

constexpr std::size_t even(std::size_t size) {
  return size + (size & 1);
}

template <typename T>
using Checked = std::expected<T, LmdbCheckFailure>;

std::unexpected<LmdbDamage> damage(std::string what) {
  return std::unexpected(LmdbDamage{std::move(what)});
}

std::unexpected<LmdbDamage> damaged_page(PageNumber page, std::string_view what) {
  return damage("page " + std::to_string(page) + ": " + std::string(what));
}

struct Node {
  std::size_t offset = 0;  // in its page
  std::uint16_t flags = 0;
  ByteView key{};
  std::uint32_t value_bytes = 0;  // in a leaf
  ByteView value{};               // in a leaf; of an overflow node the page's number
  PageNumber child = 0;           // in a branch

  std::size_t size_bytes() const { return even(kNodeHeaderBytes + key.size() + value.size()); }
};

// The node at `offset`; none if it does not fit into the page.
std::optional<Node> read_node(ByteView page, std::size_t offset, bool leaf) {
  if (offset % 2 != 0 || offset + kNodeHeaderBytes > page.size()) return std::nullopt;
  const std::uint32_t low = load<std::uint16_t>(page, offset);
  const std::uint32_t high = load<std::uint16_t>(page, offset + 2);
  Node node{.offset = offset, .flags = load<std::uint16_t>(page, offset + 4)};
  const std::size_t key_bytes = load<std::uint16_t>(page, offset + 6);
  std::size_t value_bytes = 0;
  if (leaf) {
    node.value_bytes = low | high << 16;
    value_bytes = (node.flags & kOverflowNode) != 0 ? sizeof(PageNumber) : node.value_bytes;
  } else {
    // A branch has no flags: their place holds the upper bits of the child's number.
    node.child = low | high << 16 | PageNumber{node.flags} << 32;
  }
  const std::size_t room = page.size() - offset - kNodeHeaderBytes;
  if (key_bytes > room || value_bytes > room - key_bytes) return std::nullopt;
  node.key = page.subspan(offset + kNodeHeaderBytes, key_bytes);
  node.value = page.subspan(offset + kNodeHeaderBytes + key_bytes, value_bytes);
  return node;
}

// The nodes of a page, in the order of their keys. LMDB moves memory by their sizes, so that they
// must fill the page from the upper end of the free space without a gap or an overlap.
Checked<std::vector<Node>> read_nodes(PageNumber number, ByteView page, bool leaf) {
  const std::size_t lower = load<std::uint16_t>(page, 12);
  const std::size_t upper = load<std::uint16_t>(page, 14);
  if (lower < kPageHeaderBytes || lower % 2 != 0 || upper < lower || upper > page.size()) {
    return damaged_page(number, "the free space has impossible bounds");
  }
  std::vector<Node> nodes;
  for (std::size_t at = kPageHeaderBytes; at < lower; at += 2) {
    const std::optional<Node> node = read_node(page, load<std::uint16_t>(page, at), leaf);
    if (!node) return damaged_page(number, "a node lies outside");
    nodes.push_back(*node);
  }
  if (nodes.empty()) return damaged_page(number, "it has no nodes");

  std::vector<std::pair<std::size_t, std::size_t>> extents;
  for (const Node& node : nodes) extents.emplace_back(node.offset, node.size_bytes());
  std::ranges::sort(extents);
  std::size_t end = upper;
  for (const auto& [offset, size] : extents) {
    if (offset != end) return damaged_page(number, "nodes overlap, or leave a gap");
    end += size;
  }
  if (end != page.size()) return damaged_page(number, "the nodes do not end where the page does");
  return nodes;
}

bool ascends(const Tree& tree, ByteView a, ByteView b) {
  const bool integers = (tree.flags & kIntegerKeys) != 0;
  return integers ? load<std::uint64_t>(a, 0) < load<std::uint64_t>(b, 0) : as_text(a) < as_text(b);
}

// Walks all that one meta page describes.
class SnapshotCheck {
 public:
  SnapshotCheck(const File& file, std::uint64_t file_bytes, const Meta& meta)
      : file_(file),
        meta_(meta),
        page_size_(meta.free_list.page_size),
        file_page_count_(file_bytes / page_size_),
        used_(meta.last_page + 1) {
    used_[0] = used_[1] = true;
  }

  Checked<void> run() {
    for (Kind kind : {Kind::kFreeList, Kind::kBuckets}) {
      const Tree& tree = kind == Kind::kFreeList ? meta_.free_list : meta_.buckets;
      if (Checked<void> checked = check_tree(tree, kind); !checked) return checked;
    }
    return {};
  }

 private:
  enum class Kind { kFreeList, kBuckets, kBucket };

  // One tree while it is walked.
  struct Walk {
    const Tree& tree;
    Kind kind;
    std::uint64_t entry_count = 0;
  };

  Checked<void> check_tree(const Tree& tree, Kind kind) {
    if (tree.root == kNoPage) {
      if (tree.depth == 0 && tree.entry_count == 0) return {};
      return damage("a tree without a root is not empty");
    }
    if (tree.depth == 0 || tree.depth > kDeepest) return damage("a tree has an impossible depth");
    Walk walk{tree, kind};
    if (Checked<void> checked = check_page(walk, tree.root, 1); !checked) return checked;
    if (walk.entry_count != tree.entry_count) return damage("a tree's count of entries is wrong");
    return {};
  }

  Checked<void> check_page(Walk& walk, PageNumber number, std::uint16_t level) {
    const Checked<std::vector<std::byte>> page = take_page(number);
    if (!page) return std::unexpected(page.error());
    const bool leaf = level == walk.tree.depth;
    if (kind_of(*page) != (leaf ? kLeafPage : kBranchPage)) {
      return damaged_page(number, "it is not of the kind that its place in the tree wants");
    }
    const Checked<std::vector<Node>> nodes = read_nodes(number, *page, leaf);
    if (!nodes) return std::unexpected(nodes.error());
    if (Checked<void> checked = check_keys(walk, number, *nodes, leaf); !checked) return checked;
    for (const Node& node : *nodes) {
      const Checked<void> checked =
          leaf ? check_entry(walk, number, node)
               : check_page(walk, node.child, static_cast<std::uint16_t>(level + 1));
      if (!checked) return checked;
    }
    if (leaf) walk.entry_count += nodes->size();
    return {};
  }

  Checked<void> check_keys(const Walk& walk, PageNumber number, const std::vector<Node>& nodes,
                           bool leaf) const {
    // LMDB asserts that a branch has a choice to offer, but for the free list's, which may be met
    // half-way through a rebalancing.
    if (!leaf && walk.kind != Kind::kFreeList && nodes.size() < 2) {
      return damaged_page(number, "a branch has a single child");
    }
    // Whatever is less than the second key is in a branch's first child: its own key is not used.
    for (std::size_t i = leaf ? 0 : 1; i < nodes.size(); ++i) {
      const std::size_t size = nodes[i].key.size();
      if (walk.kind == Kind::kFreeList ? size != sizeof(std::uint64_t)
                                       : size == 0 || size > kLargestKeyBytes) {
        return damaged_page(number, "a key has an impossible size");
      }
      const bool has_predecessor = i > (leaf ? 0 : 1);
      if (has_predecessor && !ascends(walk.tree, nodes[i - 1].key, nodes[i].key)) {
        return damaged_page(number, "the keys do not ascend");
      }
    }
    return {};
  }

  Checked<void> check_entry(const Walk& walk, PageNumber number, const Node& node) {
    const std::uint16_t flags =
        walk.kind == Kind::kBuckets ? kTreeNode : node.flags & kOverflowNode;
    if (node.flags != flags) return damaged_page(number, "a node is of an unknown kind");
    if (walk.kind == Kind::kBuckets) {
      if (node.value.size() != sizeof(Tree))
        return damaged_page(number, "a bucket has a wrong size");
      const Tree bucket = load<Tree>(node.value, 0);
      if (bucket.flags != 0 || bucket.page_size != 0) {
        return damaged_page(number, "a bucket is of an unknown kind");
      }
      return check_tree(bucket, Kind::kBucket);
    }
    std::vector<std::byte> overflow;
    ByteView value = node.value;
    if ((node.flags & kOverflowNode) != 0) {
      const PageNumber first = load<PageNumber>(node.value, 0);
      // Only the free list's values mean something to LMDB: the others are not read.
      const bool wanted = walk.kind == Kind::kFreeList;
      Checked<std::vector<std::byte>> read = take_overflow(first, node.value_bytes, wanted);
      if (!read) return std::unexpected(read.error());
      overflow = *std::move(read);
      value = overflow;
    }
    if (walk.kind == Kind::kFreeList) return check_free_pages(number, node.key, value);
    return {};
  }

  // A list of pages that the transaction `key` freed: their count and, descending, their numbers.
  Checked<void> check_free_pages(PageNumber number, ByteView key, ByteView list) {
    // Also how a meta page is found whose transaction's number has been set back.
    if (load<std::uint64_t>(key, 0) > meta_.transaction) {
      return damaged_page(number, "pages were freed by a transaction to come");
    }
    constexpr std::size_t kSize = sizeof(PageNumber);
    if (list.size() < kSize || list.size() % kSize != 0 ||
        load<std::uint64_t>(list, 0) > list.size() / kSize - 1) {
      return damaged_page(number, "a list of free pages has an impossible size");
    }
    const std::uint64_t count = load<std::uint64_t>(list, 0);
    PageNumber previous = kNoPage;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const PageNumber page = load<PageNumber>(list, i * kSize);
      if (page >= previous) return damaged_page(number, "the free pages do not descend");
      if (Checked<void> taken = take(page); !taken) return taken;
      previous = page;
    }
    return {};
  }

  // Each page once.
  Checked<void> take(PageNumber number) {
    if (number > meta_.last_page) return damaged_page(number, "there is no such page");
    if (used_[number]) return damaged_page(number, "it is used twice");
    used_[number] = true;
    return {};
  }

  Checked<std::vector<std::byte>> take_page(PageNumber number) {
    if (Checked<void> taken = take(number); !taken) return std::unexpected(taken.error());
    return read_page(number, page_size_);
  }

  Checked<std::vector<std::byte>> read_page(PageNumber number, std::size_t size) const {
    if (number >= file_page_count_) return damaged_page(number, "it is beyond the file's end");
    std::vector<std::byte> page(size);
    const Result<std::size_t> read = file_.read_at(number * page_size_, page);
    if (!read) return std::unexpected(read.error());
    if (*read != size) return damaged_page(number, "it is cut short");
    if (load<PageNumber>(page, 0) != number) return damaged_page(number, "it bears another number");
    return page;
  }

  // The value on the pages from `first` on; nothing unless `wanted`.
  Checked<std::vector<std::byte>> take_overflow(PageNumber first, std::uint32_t value_bytes,
                                                bool wanted) {
    const Checked<std::vector<std::byte>> header = read_page(first, kPageHeaderBytes);
    if (!header) return std::unexpected(header.error());
    const std::uint64_t page_count = load<std::uint32_t>(*header, 12);
    if (kind_of(*header) != kOverflowPage || page_count == 0 ||
        page_count > file_page_count_ - first ||
        kPageHeaderBytes + value_bytes > page_count * page_size_) {
      return damaged_page(first, "it is not the overflow page that a node takes it for");
    }
    for (PageNumber page = first; page < first + page_count; ++page) {
      if (Checked<void> taken = take(page); !taken) return std::unexpected(taken.error());
    }
    if (!wanted) return {};
    Checked<std::vector<std::byte>> read = read_page(first, kPageHeaderBytes + value_bytes);
    if (read) read->erase(read->begin(), read->begin() + kPageHeaderBytes);
    return read;
  }

  static std::uint16_t kind_of(ByteView page) { return load<std::uint16_t>(page, 10); }

  const File& file_;
  const Meta& meta_;
  const std::size_t page_size_;
  const PageNumber file_page_count_;
  std::vector<bool> used_;  // by page number
};

bool plausible_page_size(std::uint32_t size) {
  return size >= 512 && size <= 32768 && (size & (size - 1)) == 0;
}

// The meta page `number`; the second one stands a page's size into the file.
Checked<Meta> read_meta(const File& file, PageNumber number, std::uint64_t offset) {
  std::array<std::byte, kPageHeaderBytes + sizeof(Meta)> bytes{};
  const Result<std::size_t> read = file.read_at(offset, bytes);
  if (!read) return std::unexpected(read.error());
  if (*read != bytes.size()) return damaged_page(number, "the file ends within a meta page");
  const Meta meta = load<Meta>(bytes, kPageHeaderBytes);
  if (load<PageNumber>(bytes, 0) != number || load<std::uint16_t>(bytes, 10) != kMetaPage ||
      meta.magic != kMagic) {
    return damaged_page(number, "it is not a meta page");
  }
  if (meta.version != kVersion) return damaged_page(number, "the format's version is unknown");
  if (!plausible_page_size(meta.free_list.page_size) || meta.fixed_address != 0 ||
      meta.free_list.flags != (kIntegerKeys | kSingleFile) || meta.buckets.flags != 0 ||
      meta.buckets.page_size != 0) {
    return damaged_page(number, "a meta page has impossible settings");
  }
  if (meta.last_page < kMetaCount - 1 || meta.last_page >= kLargestPageCount) {
    return damaged_page(number, "a meta page has an impossible count of pages");
  }
  return meta;
}

Checked<std::array<Meta, kMetaCount>> read_metas(const File& file) {
  const Checked<Meta> first = read_meta(file, 0, 0);
  if (!first) return std::unexpected(first.error());
  const std::uint32_t page_size = first->free_list.page_size;
  const Checked<Meta> second = read_meta(file, 1, page_size);
  if (!second) return std::unexpected(second.error());
  if (second->free_list.page_size != page_size) return damage("the meta pages disagree");
  // Transaction n writes the meta page n % 2. Before the first two, both say zero.
  const std::uint64_t even_number = first->transaction;
  const std::uint64_t odd_number = second->transaction;
  const bool fresh = even_number == 0 && odd_number == 0;
  const bool successive = even_number % 2 == 0 && odd_number % 2 == 1 &&
                          (even_number + 1 == odd_number || odd_number + 1 == even_number);
  if (!fresh && !successive) return damage("the meta pages are not of successive transactions");
  return std::array{*first, *second};
}

// The newest transaction of a file that is not empty.
Checked<std::uint64_t> check(const File& file, std::uint64_t file_bytes) {
  const Checked<std::array<Meta, kMetaCount>> metas = read_metas(file);
  if (!metas) return std::unexpected(metas.error());
  // Also the older one's trees are whole: a transaction uses no page again that the one before it
  // freed. So they vouch for their number, and that none was set back.
  for (const Meta& meta : *metas) {
    SnapshotCheck snapshot(file, file_bytes, meta);
    if (Checked<void> checked = snapshot.run(); !checked) return std::unexpected(checked.error());
  }
  return std::max((*metas)[0].transaction, (*metas)[1].transaction);
}

}  // namespace
}  // namespace lmdb_format

std::expected<std::uint64_t, LmdbCheckFailure> check_lmdb_file(const std::string& path) {
  const Result<std::optional<File>> file = File::open_if_exists(path, O_RDONLY);
  if (!file) return std::unexpected(file.error());
  if (!*file) return 0;
  const Result<std::uint64_t> size = (*file)->size_bytes();
  if (!size) return std::unexpected(size.error());
  if (*size == 0) return 0;
  auto checked = lmdb_format::check(**file, *size);
  if (checked) return checked;
  auto* damage = std::get_if<LmdbDamage>(&checked.error());
  if (damage != nullptr) damage->message = path + " is damaged: " + damage->message;
  return checked;
}

}  // namespace anchor::io
