#include "io/data_directory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

TEST(DataDirectory, CreatesThePathThatIsMissing) {
  const TemporaryDirectory temporary;
  for (const std::string name : {"a/b/c", "d/e/", "./f/../g"}) {
    ASSERT_TRUE(DataDirectory::open(temporary.path_of(name))) << name;
  }
  for (const std::string name : {"a/b/c", "d/e", "g"}) {
    EXPECT_TRUE(std::filesystem::is_directory(temporary.path_of(name))) << name;
  }
}

TEST(DataDirectory, TakesOneHolderAtATime) {
  const TemporaryDirectory temporary;
  {
    const auto first = DataDirectory::open(temporary.path());
    ASSERT_TRUE(first);
    const auto second = DataDirectory::open(temporary.path());
    ASSERT_FALSE(second);
    EXPECT_TRUE(std::holds_alternative<DirectoryInUse>(second.error()));
  }
  EXPECT_TRUE(DataDirectory::open(temporary.path()));
}

TEST(DataDirectory, SaysWhenThePathIsAFile) {
  const TemporaryDirectory temporary;
  std::ofstream(temporary.path_of("file")) << "text";
  for (const std::string name : {"file", "file/below"}) {
    const auto directory = DataDirectory::open(temporary.path_of(name));
    ASSERT_FALSE(directory) << name;
    EXPECT_TRUE(std::holds_alternative<UnusablePath>(directory.error())) << name;
  }
}

TEST(DataDirectory, ReadsBackWhatWasWritten) {
  const TemporaryDirectory temporary;
  const auto directory = DataDirectory::open(temporary.path());
  ASSERT_TRUE(directory);
  for (const std::string& contents :
       {std::string("first"), std::string(), std::string(70000, 'x')}) {
    ASSERT_TRUE(directory->write_file_durably("founding", as_bytes(contents)));
    const auto read = directory->read_file("founding");
    ASSERT_TRUE(read && *read);
    EXPECT_EQ((*read)->text(), contents);
  }
}

TEST(DataDirectory, TellsAMissingFileFromAnUnreadableOne) {
  const TemporaryDirectory temporary;
  const auto directory = DataDirectory::open(temporary.path());
  ASSERT_TRUE(directory);
  const auto missing = directory->read_file("founding");
  ASSERT_TRUE(missing);
  EXPECT_FALSE(*missing);
  std::filesystem::create_directory(temporary.path_of("founding"));
  EXPECT_FALSE(directory->read_file("founding"));
}

TEST(DataDirectory, KeepsTheOldFileWhenTheNewOneCannotBeWritten) {
  const TemporaryDirectory temporary;
  const auto directory = DataDirectory::open(temporary.path());
  ASSERT_TRUE(directory);
  ASSERT_TRUE(directory->write_file_durably("founding", as_bytes("old")));
  std::filesystem::create_directory(temporary.path_of("founding.tmp"));
  EXPECT_FALSE(directory->write_file_durably("founding", as_bytes("new")));
  const auto read = directory->read_file("founding");
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->text(), "old");
}

TEST(DataDirectory, RemovesAndRenamesFiles) {
  const TemporaryDirectory temporary;
  const auto directory = DataDirectory::open(temporary.path());
  ASSERT_TRUE(directory);
  ASSERT_TRUE(directory->write_file_durably("a", as_bytes("text")));
  ASSERT_TRUE(directory->rename_file("a", "b"));
  EXPECT_FALSE(*directory->read_file("a"));
  ASSERT_TRUE(*directory->read_file("b"));
  ASSERT_TRUE(directory->remove_file("b"));
  EXPECT_FALSE(*directory->read_file("b"));
  EXPECT_TRUE(directory->remove_file("b"));
}

}  // namespace
}  // namespace anchor::io
