def leave(mark)
  edges = File.readlines('/proc/self/maps').grep(/rewhisk-code/).first.split.first
  word(act('munmap', edges.split('-').first.hex, 4096))
end

def read
  File.readlines('/proc/self/maps').count { |line| line.include?('rewhisk') }
end
