# Those with which signals wake Ruby.
def counters
  Dir.children('/proc/self/fd').select { |fd| File.readlink("/proc/self/fd/#{fd}").include?('eventfd') rescue false }.map(&:to_i).sort
end

def leave(mark)
  word(counters.map { |fd| act('write', fd, put([mark[0, 4].hex + 1].pack('Q<')), 8) }.min)
end

def read
  counters.map { |fd| File.readlines("/proc/self/fdinfo/#{fd}").grep(/eventfd-count/) }
end
