#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace anchor::io {

// A fresh directory, gone with this object. In memory where the system has such a place: no power
// is lost in these tests, and a sync of a disk takes milliseconds.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code ignored;
    const bool has_memory = std::filesystem::is_directory(memory, ignored);
    const auto place = has_memory ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (place / "anchor-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace anchor::io
