def leave(mark)
  word(act('flock', 3, File::LOCK_EX))
end

def read
  File.readlines('/proc/self/fdinfo/3').count { |line| line.start_with?('lock:') }
end
