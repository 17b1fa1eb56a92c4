// Bad input through every command: the right exit code, one line that names the trouble, nothing on
// stdout, and no file left behind.

#include <gtest/gtest.h>

#include <functional>

#include "cli_program.h"

namespace segue {
namespace {

struct BadCall {
    std::vector<std::string> arguments;
    int exit_code = 1;
    std::string says;  // a part of the error line
};

/// Files that are wrong in one way each.
void write_bad_files(const std::function<void(const std::string&, const std::string&)>& write,
                     const std::string& bundle) {
    write("empty.csv", "");
    write("header.csv", "group,item\n");
    write("latin1.csv", "group,item\na,caf\xe9\nb,caf\xe9\n");
    write("nan.csv", "group,item,weight\na,x,1\na,y,nan\n");
    write("negative.csv", "group,item,weight\na,x,1\na,y,-inf\n");
    write("ragged.csv", "group,item\n\"a,x\nb\n");
    write("cut.parquet", "PAR1\x15\x04\x15\x80 and then nothing");
    write("empty.segue", "");
    write("cut.segue", bundle.substr(0, bundle.size() / 2));
    write("flipped.segue", bundle.substr(0, bundle.size() - 1) + '\x7f');
    write("words.txt", "one two three\n");
    write("nan_vector.txt", "1 nan 3\n");
    write("short_vector.txt", "1 2 3\n");
    write("large_vector.json", "[1, 1e300]");
    write("faulty.jsonl",
          "{\"id\":\"a\",\"embedding\":[1,2]}\n{\"id\":\"b\",\"embedding\":[1]}\nno\n");
    write("config.json", "{\"dims\": 3}");
    write("broken.json", "{\"dim\": ");
}

class CliBadInput : public CliFolder {
protected:
    static void SetUpTestSuite() {
        CliFolder::SetUpTestSuite();
        write_bad_files([](const std::string& name, const std::string& text) { write(name, text); },
                        read_whole(path("ials.segue")));
    }
    static void expect_refused(const std::vector<BadCall>& calls) {
        const std::set<std::string> before = listing();
        for (const BadCall& call : calls) {
            const RunResult result = run(call.arguments);
            std::string shown;
            for (const std::string& argument : call.arguments) {
                shown += argument + " ";
            }
            EXPECT_EQ(result.exit_code, call.exit_code) << shown << "\n" << result.errors;
            EXPECT_EQ(result.output, "") << shown;
            EXPECT_NE(result.errors.find(call.says), std::string::npos)
                << shown << "\nexpected: " << call.says << "\n"
                << result.errors;
            EXPECT_EQ(number_of_error_lines(result.errors), 1U) << shown << "\n" << result.errors;
            EXPECT_TRUE(listing() == before) << shown << " left a file behind or changed one";
        }
    }
    static std::size_t number_of_error_lines(const std::string& errors) {
        std::istringstream lines(errors);
        std::string line;
        std::size_t count = 0;
        while (std::getline(lines, line)) {
            count += line.starts_with("segue") ? 1 : 0;
        }
        return count;
    }
};

TEST_F(CliBadInput, is_told_apart_as_wrong_usage) {
    expect_refused({
        {{}, 2, "a verb is missing"},
        {{"fitt"}, 2, "unknown verb \"fitt\""},
        {{"fit"}, 2, "--out FILE.segue is missing"},
        {{"fit", "--out", "x.segue"}, 2, "a TABLE is missing"},
        {{"fit", "rows.csv", "--out"}, 2, "--out needs a value"},
        {{"fit", "rows.csv", "--out", "x.segue", "--grop", "group"}, 2, "did you mean --group?"},
        {{"fit", "rows.csv", "--out", "x.segue", "--recipe", "als"}, 2, "expected one of auto"},
        {{"fit", "rows.csv", "--out", "x.segue", "--dim", "10000000"}, 2, "from 1 to 1,024"},
        {{"fit", "rows.csv", "--out", "x.segue", "--dim", "-3"}, 2, "found \"-3\""},
        {{"fit", "rows.csv", "--out", "x.segue", "--threads", "100000"}, 2, "from 0 to 1,024"},
        {{"fit", "rows.csv", "--out", "x.segue", "--l2-reg", "nan"}, 2, "--l2-reg"},
        {{"fit", "rows.csv", "--out", "x.segue", "--other-exponent", "2.1"}, 2, "from -2 to 2"},
        {{"fit", "rows.csv", "--out", "x.segue", "--popularity-exponent", "-3"}, 2, "from -2 to 2"},
        {{"import", "v.csv", "--out", "x.segue", "--popularity-exponent", "3"}, 2, "from -2 to 2"},
        {{"fit", "rows.csv", "--out", "x.segue", "--item-key", "i"}, 2, "--item-key"},
        {{"fit", "rows.csv", "--out", "x.segue", "--report", "x.segue"}, 2, "--report"},
        {{"fit", "rows.csv", "--out", "x.segue", "--config", "config.json"}, 2, "did you mean"},
        {{"fit", "rows.csv", "--out", "x.segue", "--config", "broken.json"}, 2, "broken.json"},
        {{"fit", "rows.csv", "--out", "x.segue", "--config", "none.json"}, 2, "none.json"},
        {{"similar"}, 2, "FILE.segue is missing"},
        {{"similar", "ials.segue"}, 2, "nothing is asked"},
        {{"similar", "ials.segue", "--item", "1", "--k", "4000000000"}, 2, "from 1 to 1,000,000"},
        {{"similar", "ials.segue", "--item", "1", "--k", "many"}, 2, "found \"many\""},
        {{"similar", "ials.segue", "--item"}, 2, "--item needs a value"},
        {{"similar", "ials.segue", "cooc.segue", "--item", "1"}, 2, "unexpected argument"},
        {{"recommend", "ials.segue", "--out", "r.csv"}, 2, "say for whom"},
        {{"recommend", "ials.segue", "--all", "--group", "1", "--out", "r.csv"}, 2, "say for whom"},
        {{"neighbours", "ials.segue", "--out", "n.csv"}, 2, "--all"},
        {{"lookup", "ials.segue"}, 2, "KEYS is missing"},
        {{"evaluate"}, 2, "a TABLE is missing"},
        {{"evaluate", "rows.csv", "--split", "half"}, 2, "--split"},
        {{"evaluate", "rows.csv", "--split", "holdout:1.5"}, 2, "--split"},
        {{"evaluate", "rows.csv", "--recipe", "ials,magic"}, 2, "magic"},
        {{"evaluate", "rows.csv", "--k", "10,0"}, 2, "--k"},
        {{"fit", "rows.csv", "--out", "x.segue", "--seconds", "0"}, 2, "--seconds"},
        {{"tune", "rows.csv", "--out", "x.json"}, 2, "--recipe NAME is missing"},
        {{"tune", "rows.csv", "--out", "x.json", "--recipe", "auto"}, 2, "auto"},
        {{"tune", "rows.csv", "--out", "x.json", "--recipe", "cooc", "--trials", "0"},
         2,
         "--trials"},
        {{"evaluate", "--train", "rows.csv"}, 2, "belong together"},
        {{"evaluate", "--test", "rows.csv"}, 2, "belong together"},
        {{"evaluate", "rows.csv", "--train", "rows.csv", "--test", "rows.csv"}, 2, "not both"},
        {{"evaluate", "--train", "rows.csv", "--test", "rows.csv", "--split", "leave-one-out"},
         2,
         "--split is for one TABLE"},
        {{"evaluate", "--train", "rows.csv", "--test", "rows.csv", "--group", "g", "--item", "g"},
         2,
         "one column, 'g'"},
        {{"evaluate", "rows.csv", "--split", "time:3"}, 2, "needs --time"},
        {{"fit", "rows.csv", "--out", "x.segue", "--group", "item", "--item", "item"},
         2,
         "one column, 'item'"},
        {{"cooccur", "rows.csv", "--out", "x.csv", "--group", "item", "--item", "item"},
         2,
         "one column, 'item'"},
        {{"cooccur", "rows.csv"}, 2, "--out FILE is missing"},
        {{"export", "ials.segue", "--out", "v", "--format", "hdf5"}, 2, "expected one of jsonl"},
        {{"export", "ials.segue", "--out", "v", "--shards", "1000000"}, 2, "from 0 to 512"},
        {{"import", "--out", "x.segue"}, 2, "FILES is missing"},
        {{"import", "ials.segue", "--out", "x.segue"}, 2, "'ials.segue': the name tells no format"},
        {{"recommend", "ials.segue", "--all", "--out", "r.xyz"}, 2, "--out: 'r.xyz' does not tell"},
        {{"cooccur", "rows.csv", "--out", "c.xyz"}, 2, "--out: 'c.xyz' does not tell"},
        {{"generate", "--out", "g"}, 2, "--out: 'g' does not tell"},
        {{"index"}, 2, "FILE.segue is missing"},
        {{"index", "ials.segue", "--target-recall", "1.5"}, 2, "from 0 to 1"},
        {{"index", "ials.segue", "--target-recall", "nan"}, 2, "--target-recall"},
        {{"index", "ials.segue", "--max-latency-ms", "0"}, 2, "--max-latency-ms"},
        {{"index", "ials.segue", "--path", "graph"}, 2, "expected one of auto"},
        {{"index", "ials.segue", "--num-leaves", "-1"}, 2, "--num-leaves"},
        {{"index", "ials.segue", "--num-iterations", "0"}, 2, "--num-iterations"},
        {{"similar", "ials.segue", "--item", "1", "--exact", "--leaves", "3"}, 2, "--exact reads"},
        {{"similar", "ials.segue", "--item", "1", "--leaves", "0"}, 2, "--leaves"},
        {{"inspect"}, 2, "FILE.segue is missing"},
        {{"describe"}, 2, "a TABLE is missing"},
        {{"generate"}, 2, "--out FILE is missing"},
        {{"generate", "--rows", "0", "--out", "g.csv"}, 2, "--rows"},
        {{"generate", "--zipf-exponent", "inf", "--out", "g.csv"}, 2, "--zipf-exponent"},
        {{"doctor", "now"}, 2, "unexpected argument \"now\""},
    });
}

TEST_F(CliBadInput, in_tables_is_named_by_every_verb_that_reads_them) {
    const std::vector<BadCall> endings = {
        {{"missing.csv"}, 1, "missing.csv"},
        {{"."}, 1, "."},
        {{"empty.csv"}, 1, "empty.csv"},
        {{"header.csv"}, 1, "no row is left"},
        {{"latin1.csv"}, 1, "latin1.csv"},
        {{"cut.parquet"}, 1, "cut.parquet"},
        {{"rows.csv", "--group", "group", "--item", "itm"}, 1, "did you mean 'item'?"},
        {{"nan.csv", "--group", "group", "--item", "item", "--weight", "weight"}, 1, "nan"},
        {{"negative.csv", "--group", "group", "--item", "item", "--weight", "weight"}, 1, "inf"},
        {{"rows.csv", "--sql", "SELECT * FROM"}, 1, "SQL"},
        {{"https://example.org/rows.csv"}, 1, "https://example.org/rows.csv"},
    };
    const std::vector<std::vector<std::string>> verbs = {
        {"fit", "--out", "x.segue"}, {"cooccur", "--out", "x.csv"}, {"evaluate"}, {"describe"}};
    for (const std::vector<std::string>& verb : verbs) {
        std::vector<BadCall> calls = endings;
        for (BadCall& call : calls) {
            call.arguments.insert(call.arguments.begin(), verb.begin(), verb.end());
        }
        expect_refused(calls);
    }
    expect_refused({
        {{"fit", "rows.csv", "--items", "missing.csv", "--out", "x.segue"}, 1, "missing.csv"},
        {{"fit", "rows.csv", "--title", "ttle", "--out", "x.segue"}, 1, "ttle"},
        {{"fit", "rows.csv", "--min-item-frequency", "4000000000", "--out", "x.segue"},
         1,
         "no row is left"},
        {{"evaluate", "--train", "rows.csv", "--test", "missing.csv"}, 1, "missing.csv"},
        {{"evaluate", "--train", "missing.csv", "--test", "rows.csv"}, 1, "missing.csv"},
        {{"recommend", "ials.segue", "--groups", "missing.csv", "--out", "r.csv"},
         1,
         "missing.csv"},
        {{"recommend", "ials.segue", "--groups", "rows.csv", "--group-column", "grop", "--out",
          "r.csv"},
         1,
         "grop"},
    });
}

TEST_F(CliBadInput, in_bundles_is_named_by_every_verb_that_opens_them) {
    const std::vector<std::vector<std::string>> verbs = {
        {"similar", "--item", "1"},
        {"recommend", "--all", "--out", "r.csv"},
        {"neighbours", "--all", "--out", "n.csv"},
        {"export", "--out", "v.jsonl"},
        {"index"},
    };
    for (const std::vector<std::string>& verb : verbs) {
        for (const char* file :
             {"missing.segue", "empty.segue", "cut.segue", "flipped.segue", "rows.csv", "."}) {
            std::vector<std::string> arguments = verb;
            arguments.emplace_back(file);
            expect_refused({{arguments, 1, file}});
        }
    }
    expect_refused({
        {{"lookup", "cut.segue", "1"}, 1, "cut.segue"},
        {{"inspect", "cut.segue"}, 1, "cut.segue"},
        {{"inspect", "missing.segue"}, 1, "missing.segue"},
        {{"describe", "flipped.segue"}, 1, "flipped.segue"},
    });
}

TEST_F(CliBadInput, in_questions_is_explained) {
    expect_refused({
        {{"similar", "ials.segue", "--title", "Gnre 1 song 1"}, 1, "no item has the title"},
        {{"similar", "ials.segue", "--title", "Gnre 1 song 1"}, 1, "hint: near it: \"Genre "},
        {{"similar", "ials.segue", "--item", "no such key"}, 1, "no such key"},
        {{"similar", "ials.segue", "--item", "Genre 1 song 1"}, 1, "--title 'Genre 1 song 1'"},
        {{"similar", "ials.segue", "--item", "line\nbreak\x1b[31m"}, 1, "line\\x0abreak\\x1b[31m"},
        {{"similar", "ials.segue", "--group", "no such group"}, 1, "no such group"},
        {{"similar", "ials.segue", "--vector", "missing.txt"}, 1, "missing.txt"},
        {{"similar", "ials.segue", "--vector", "words.txt"}, 1, "expected a number"},
        {{"similar", "ials.segue", "--vector", "nan_vector.txt"}, 1, "expected a number"},
        {{"similar", "ials.segue", "--vector", "short_vector.txt"}, 1, "3"},
        {{"similar", "ials.segue", "--vector", "large_vector.json"},
         1,
         "number 2 is 1e+300, out of the range of 32-bit floats"},
        {{"similar", "cooc.segue", "--vector", "short_vector.txt"}, 1, "vector"},
        {{"recommend", "ials.segue", "--group", "nobody", "--out", "r.csv"},
         1,
         "none of the groups"},
        {{"similar", "cooc.segue", "--item", "1", "--exact"}, 1, "answers from neighbour lists"},
        {{"similar", "ials.segue", "--item", "1", "--leaves", "3"}, 1, "segue index builds one"},
        {{"index", "cooc.segue"}, 1, "has nothing to index"},
        {{"lookup", "cooc.segue", "1"}, 1, "no vectors"},
        {{"export", "cooc.segue", "--out", "v.jsonl"}, 1, "no vectors"},
        {{"import", "faulty.jsonl", "--out", "x.segue"}, 1, "2 of 3 lines are faulty"},
        {{"import", "faulty.jsonl", "--out", "x.segue"}, 1, "faulty.jsonl:2: wrong dimension"},
        {{"import", "faulty.jsonl", "--out", "x.segue", "--quiet"}, 1, "faulty.jsonl:2: wrong"},
        {{"import", "empty.csv", "--out", "x.segue"}, 1, "no vectors"},
        {{"import", "missing.npy", "--out", "x.segue"}, 1, "missing.npy"},
        {{"import", "cut.parquet", "--out", "x.segue"}, 1, "cut.parquet"},
    });
}

TEST_F(CliBadInput, for_output_leaves_what_is_there_alone) {
    // A path below a file and one in /proc cannot be written to, not even by root.
    for (const std::string folder : {"rows.csv/", "/proc/", "/nowhere/at/all/"}) {
        expect_refused({
            {{"fit", "rows.csv", "--out", folder + "x.segue"}, 1, "cannot"},
            {{"cooccur", "rows.csv", "--out", folder + "x.csv"}, 1, "cannot"},
            {{"recommend", "ials.segue", "--all", "--out", folder + "r.csv"}, 1, "cannot"},
            {{"neighbours", "ials.segue", "--all", "--out", folder + "n.jsonl"}, 1, "cannot"},
            {{"export", "ials.segue", "--out", folder + "v.jsonl"}, 1, "cannot"},
            {{"export", "ials.segue", "--format", "parquet", "--out", folder + "v.parquet"},
             1,
             "cannot"},
            {{"import", "faulty.jsonl", "--skip-faulty", "--out", folder + "x.segue"}, 1, "cannot"},
            {{"generate", "--rows", "10", "--out", folder + "g.csv"}, 1, "cannot"},
        });
    }
    expect_refused({
        {{"fit", "rows.csv", "--out", "ials.segue"}, 1, "--force"},
        {{"tune", "rows.csv", "--recipe", "cooc", "--out", "rows.csv"}, 1, "--force"},
        {{"evaluate", "rows.csv", "--report", "rows.csv"}, 1, "--force"},
        {{"fit", "rows.csv", "--out", "x.segue", "--report", "rows.csv"}, 1, "rows.csv"},
        {{"fit", "rows.csv", "--out", "x.segue", "--report", "/nowhere/r.json"}, 1, "/nowhere"},
        {{"cooccur", "rows.csv", "--out", "rows.csv"}, 1, "exists"},
        {{"generate", "--rows", "10", "--out", "rows.csv"}, 1, "exists"},
        {{"import", "faulty.jsonl", "--skip-faulty", "--out", "ials.segue"}, 1, "exists"},
    });
}

TEST_F(CliBadInput, of_a_full_stdout_fails_the_verb) {
    const RunResult result =
        run_segue(folder_, {"similar", "ials.segue", "--item", "1"}, "/dev/full");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("cannot write to stdout"), std::string::npos) << result.errors;
}

}  // namespace
}  // namespace segue
