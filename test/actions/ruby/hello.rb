# Greets somebody, and says on both outputs that it did.
def main(args)
  name = args.fetch('name', 'stranger')
  puts "greeting #{name}"
  warn 'greeted'
  { greeting: "Hello #{name}!" }
end
