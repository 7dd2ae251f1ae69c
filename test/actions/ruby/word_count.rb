# Counts words, whatever their case.
def main(args)
  words = args['text'].downcase.scan(/[[:alpha:]]+/)
  frequent = words.tally.sort_by { |word, count| [-count, word] }.first(args.fetch('top', 3))
  puts "#{words.size} words"
  { words: words.size, distinct: words.uniq.size, frequent: frequent.map { |word, count| { word: word, count: count } } }
end
